"""So that LLDB's `command script import -c plugin` (lldbinit) finds this directory and no other one
of the same name: Python prefers a package to a mere directory."""
