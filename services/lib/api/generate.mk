# Structs and tables from the schema text: out/gen/api/*.h and types.c. The generator needs lib/base only.
SCHEMA_TEXT        := $(wildcard services/lib/api/schema/*.schema services/lib/api/defaults/*.defaults)
RESOURCES          := services/lib/api/schema/resources
SCHEMA_GEN_SOURCES := $(wildcard services/tools/schema_gen*.c) $(call sources,lib/base)
SCHEMA_GEN         := out/schema_gen
GEN_SOURCES        := $(GEN)/api/types.c $(GEN)/api/resources.c
GEN_STAMP          := $(GEN)/.generated

$(SCHEMA_GEN): $(SCHEMA_GEN_SOURCES) $(wildcard services/tools/schema_gen*.h services/lib/base/*.h services/lib/schema/*.h)
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) -O1 $(CFLAGS) $(SCHEMA_GEN_SOURCES) -lpthread -o $@

$(GEN_STAMP): $(SCHEMA_GEN) $(SCHEMA_TEXT) $(RESOURCES)
	@mkdir -p $(GEN)/api
	@$(SCHEMA_GEN) $(GEN)/api $(SCHEMA_TEXT) $(RESOURCES)
	@touch $@

$(GEN_SOURCES): $(GEN_STAMP) ;
