// A clock that the bench can move: preloaded into its server, where it adds the seconds in the file BENCH_CLOCK to the time of day.
//
// The file holds one number and is mapped: test/bench/turn_clock writes over it and never truncates it. Clocks that measure
// (CLOCK_MONOTONIC) stay as they are. pg_ctl compares the time with that of the server, so it gets the same; all other programs have the
// real time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *seconds;

__attribute__((constructor)) static void map_seconds(void) {
  const char *const program = program_invocation_short_name, *const path = getenv("BENCH_CLOCK");
  if (!path || (strcmp(program, "postgres") != 0 && strcmp(program, "pg_ctl") != 0)) return;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *const mapped = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) seconds = mapped;
  close(file);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec real;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &real) != 0) return -1;
  now->tv_sec = real.tv_sec + (seconds ? strtol(seconds, NULL, 10) : 0);
  now->tv_usec = real.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timeval moved;
  gettimeofday(&moved, NULL);
  if (now) *now = moved.tv_sec;
  return moved.tv_sec;
}
