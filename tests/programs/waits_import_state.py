"""What the threads and the modules of waits_import.py share."""
import threading

LOCK, begun = threading.Lock(), []
