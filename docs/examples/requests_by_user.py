"""Whose requests are under way, and which of them wait for a lock: requests_by_user.py CORE|PID"""
import collections
import sys

import pyscry

target = pyscry.open(int(sys.argv[1]) if sys.argv[1].isdigit() else sys.argv[1])
waits = {
    w["who"]["tid"]: [h["name"] for h in w["held_by"]] for w in target.command("waits")["waits"]
}
users = collections.defaultdict(list)
for thread in target.threads:
    request = next((f.locals["request"] for f in thread.frames if "request" in f.locals), None)
    if request is not None:
        behind = waits.get(thread.tid)
        users[str(request.session.user.name)].append(
            "%s%s" % (request.url, " behind " + behind[0] if behind else "")
        )
for user, urls in sorted(users.items()):
    print("%s: %d: %s" % (user, len(urls), ", ".join(sorted(urls))))
