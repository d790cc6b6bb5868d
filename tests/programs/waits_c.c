/* Ways to wait for locks of C, some in functions whose names begin as those of the C library do. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static FILE *file;
volatile int reading; /* somebody has the file's lock */

#define OWN __attribute__((noinline, noclone))

static ssize_t read_cookie(void *cookie, char *buffer, size_t size)
{
	reading = 1;
	pthread_mutex_lock(cookie);
	buffer[0] = 'x';
	pthread_mutex_unlock(cookie);
	return size ? 1 : 0;
}

void prepare(void)
{
	pthread_mutex_lock(&mutex);
	pthread_rwlock_wrlock(&rwlock);
	sem_init(&sem, 0, 0);
	file = fopencookie(&mutex, "r", (cookie_io_functions_t) { .read = read_cookie });
}

OWN int getconfig(void)
{
	return pthread_mutex_lock(&mutex) + 1;
}

OWN int pthread_cond_keeper(void)
{
	return sem_wait(&sem) + 1;
}

OWN int read_file(void)
{
	char letter;

	return (int)fread(&letter, 1, 1, file) + 1;
}

OWN int wait_cond(void)
{
	pthread_mutex_lock(&other);
	return pthread_cond_wait(&cond, &other) + 1;
}

OWN int wait_rwlock(void)
{
	return pthread_rwlock_rdlock(&rwlock) + 1;
}
