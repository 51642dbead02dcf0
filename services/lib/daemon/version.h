/*
 * The version of Kubernetes whose interfaces these programs have, as /version and --version say it.
 */
#pragma once

#define VERSION_MAJOR      "1"
#define VERSION_MINOR      "36"
#define VERSION_GIT        "v1.36.2"
#define VERSION_KUBERNETES "Kubernetes " VERSION_GIT
#define VERSION_BUILD_DATE "1970-01-01T00:00:00Z" /* a build says nothing of when it was made */
#define VERSION_PLATFORM   "linux/amd64"
