"""Many small dicts of str keys, of which some are found after more probes than there are slots. Runs on 3.11 to 3.15; the
end is ends.py's."""
import random

import ends

LISTS = [[dict.fromkeys('%x' % random.getrandbits(64) for _ in range(5)) for _ in range(300)] for _ in range(5)]
ends.write({'lists': 5, 'dicts': 300})
