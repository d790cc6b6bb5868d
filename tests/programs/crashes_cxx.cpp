// A C++ exception that nobody catches.
#include <stdexcept>

struct lost : std::runtime_error {
	explicit lost(const char *text) : std::runtime_error(text) {}
};

extern "C" void throw_cxx(const char *text)
{
	throw lost(text);
}
