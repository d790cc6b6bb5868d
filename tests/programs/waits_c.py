"""Threads that wait for locks of C, whose library ($1) has functions that are called nearly like those of libc."""
import ctypes
import multiprocessing
import sys
import time

from ways import end, settle, way

library = ctypes.CDLL(sys.argv[1])
library.prepare()


@way('pthread mutex', held_by=[('MainThread', 'owner')])
def own_name():
    library.getconfig()


@way('semaphore')
def own_name_of_a_condition():
    library.pthread_cond_keeper()


@way('pthread condition')
def condition():
    library.wait_cond()


@way('pthread rwlock')
def rwlock():
    library.wait_rwlock()


# the function that reads for the FILE waits itself, with the FILE's lock
@way('pthread mutex', held_by=[('MainThread', 'owner')])
def reads():
    library.read_file()


while not ctypes.c_int.in_dll(library, 'reading').value:
    time.sleep(0.01)


@way('stdio lock', held_by=[('reads', 'owner')])
def wants_to_read():
    library.read_file()


shared = multiprocessing.Semaphore(0)


@way('Semaphore', name='shared', detail='value 1')
def shared_semaphore():
    shared.acquire()


# who waits is counted in the second word, and then sleeps
while not ctypes.c_uint32.from_address(shared._semlock.handle + 4).value:
    time.sleep(0.01)
settle()
# as musl's sem_post() leaves it where several wait: nobody is woken up by this
ctypes.c_uint32.from_address(shared._semlock.handle).value = 0x80000001
end()
