/*
 * status: the screen. Shows on tty1 and the first serial line what this machine is, how its
 * services are, what is wrong and what to do, and how an administrator gets in. It only looks.
 */
#pragma once

int status_main(int argc, char **argv);
