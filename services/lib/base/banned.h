/*
 * Functions that this project does not use, made unusable. The build includes this file in front of
 * every source, so the standard headers that declare the names come first.
 */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* No bound on what they write, or no way to see that it was cut. */
#pragma GCC poison strcpy strcat sprintf vsprintf gets strncpy strncat stpcpy
/* Keep hidden state, so not for threads. */
#pragma GCC poison strtok asctime ctime gmtime localtime srand
/* Not poisoned, since OpenSSL's headers have parameters of that name. */
int rand(void) __attribute__((deprecated("use struct random")));
/* Cannot report an error. */
#pragma GCC poison atoi atol atoll atof
/* Unbounded stack; a shell; a child that shares our locks. */
#undef alloca
#pragma GCC poison alloca system popen fork vfork
/* The environment is read once, at start; nothing writes it. */
#pragma GCC poison setenv putenv unsetenv
