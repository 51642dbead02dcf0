#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"

const struct printer printers_workloads[] = {{.print = NULL}};
