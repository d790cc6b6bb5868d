#include "progress_line.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/progress.h"

#define FIRST_MS 1000
#define NEXT_MS  200

static struct {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t change;
	struct scry_session *s;
	bool begun;
	bool over;  /* the thread is to end */
	bool shown; /* there is a line to take away */
} line = { .mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static void put(const char *text)
{
	/* one write: nobody else's output comes between; what fails is not worth a word */
	if (write(2, text, strlen(text)) < 0)
		return;
}

static void take_away(void)
{
	if (line.shown)
		put("\r\033[K");
	line.shown = false;
}

/* A line that wraps could not be taken away: it ends before the terminal's last column. */
static void cut_to_width(char *text)
{
	struct winsize size;
	size_t len = strlen(text);

	if (ioctl(2, TIOCGWINSZ, &size) || !size.ws_col || len < size.ws_col)
		return;
	len = size.ws_col - 1u;
	/* not inside a character */
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	text[len] = '\0';
}

/* Tests are not to depend on how fast the machine is. */
static unsigned first_ms(void)
{
	const char *given = getenv("PYSCRY_PROGRESS_MS");

	return given ? (unsigned)atoi(given) : FIRST_MS;
}

static void *watch(void *unused)
{
	struct timespec next = scry_clock_after(CLOCK_REALTIME, first_ms());
	char said[80] = "", text[80], drawn[96];

	(void)unused;
	pthread_mutex_lock(&line.mutex);
	while (!line.over) {
		if (!pthread_cond_timedwait(&line.change, &line.mutex, &next))
			continue;
		next = scry_clock_after(CLOCK_REALTIME, NEXT_MS);
		if (line.over || !scry_progress_text(line.s, text, sizeof(text)))
			continue;
		cut_to_width(text);
		if (!strcmp(text, said))
			continue;
		snprintf(drawn, sizeof(drawn), "\r%s\033[K", text);
		put(drawn);
		line.shown = true;
		memcpy(said, text, sizeof(said));
	}
	take_away();
	pthread_mutex_unlock(&line.mutex);
	return NULL;
}

void scry_progress_line_begin(struct scry_session *s)
{
	const char *term = getenv("TERM");
	sigset_t all, before;

	if (!isatty(2) || !term || !strcmp(term, "dumb"))
		return;
	line.s = s;
	/* signals are for the thread that works */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	line.begun = !pthread_create(&line.thread, NULL, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void scry_progress_line_hide(void)
{
	if (!line.begun)
		return;
	pthread_mutex_lock(&line.mutex);
	take_away();
	/* the cursor may stay within a line of the answer */
	line.over = line.over || isatty(1);
	pthread_cond_signal(&line.change);
	pthread_mutex_unlock(&line.mutex);
}

void scry_progress_line_end(void)
{
	if (!line.begun)
		return;
	pthread_mutex_lock(&line.mutex);
	line.over = true;
	pthread_cond_signal(&line.change);
	pthread_mutex_unlock(&line.mutex);
	pthread_join(line.thread, NULL);
	line.begun = false;
}
