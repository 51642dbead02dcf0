#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"

const struct printer printers_core[] = {{.print = NULL}};
