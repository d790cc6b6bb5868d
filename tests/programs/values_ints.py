"""Objects that stand for an int, and where that int is: for tests that damage it. Runs on 2.7 to 3.15; the end is ends.py's."""
import sys
import uuid

import ends

FOUND = {}


def told(name, holder, number):
    FOUND[name] = (holder, number)


one = uuid.UUID('12345678-1234-5678-1234-567812345678')
told('UUID', one, one.int)
try:
    import ipaddress
except ImportError:  # 2.7
    pass
else:
    four, six = ipaddress.IPv4Address('192.168.20.30'), ipaddress.IPv6Address('2001:db8::1234')
    told('IPv4Address', four, four._ip)
    told('IPv6Address', six, six._ip)
    net = ipaddress.ip_network('192.168.20.0/24')
    told('IPv4Network', net, net.network_address._ip)
if 'no-ctypes' not in sys.argv:
    import ctypes
    library = ctypes.CDLL(None)
    told('CDLL', library, library._handle)
HUGE = {10 ** 30: 'ten', -(10 ** 40): 'minus', 2 ** 53 + 1: 'odd', 1: 'one'}
FLOATS = {float(2 ** 53): 'two', 0.5: 'half', 1e300: 'large'}
EXPRESSIONS = ['HUGE[10000000000000000000000000000000]', 'HUGE[1000000000000000000000000000000]',
               'HUGE[-10000000000000000000000000000000000000000]', 'HUGE[9007199254740993]', 'HUGE[9007199254740992]', 'HUGE[1.0]',
               'FLOATS[9007199254740992]', 'FLOATS[9007199254740993]', 'FLOATS[0.5]']


def asked(text):
    try:
        return repr(eval(text))
    except KeyError:
        return None


ends.write({'objects': {name: {'id': hex(id(holder)).rstrip('L'), 'repr': repr(holder), 'int': hex(id(number)).rstrip('L')}
                        for name, (holder, number) in FOUND.items()},
            'expressions': [[text, asked(text)] for text in EXPRESSIONS]})
