#include "lib/api/managed_owners.h"

enum { SUBRESOURCE_NAME_MAX = 256 };

void managed_check_name(struct causes *c, const struct field_path *p, str manager)
{
	if (manager.len > MANAGER_NAME_MAX)
		causes_too_long(c, p, MANAGER_NAME_MAX);
	for (size_t i = 0; i < manager.len; i++) {
		unsigned char byte = (unsigned char)manager.at[i];

		if (byte < ' ' || byte == 0x7f)
			causes_invalid(c, p, cause_text(manager),
				"invalid character U+%04X (at position %zu)", byte, i);
	}
}

void managed_check(struct causes *c, const struct field_path *p, const struct object_meta *m)
{
	for (size_t i = 0; i < m->managed_fields.len; i++) {
		const struct managed_fields_entry *x = &m->managed_fields.at[i];
		const struct field_path *at = FIELD_INDEX(p, i);

		if (!str_eq(x->operation, OPERATION_APPLY) &&
			!str_eq(x->operation, OPERATION_UPDATE))
			causes_invalid(c, FIELD(at, "operation"), cause_text(x->operation),
				"must be `Apply` or `Update`");
		if (x->fields_type.len && !str_eq(x->fields_type, FIELDS_TYPE))
			causes_invalid(c, FIELD(at, "fieldsType"), cause_text(x->fields_type),
				"must be `FieldsV1`");
		managed_check_name(c, FIELD(at, "manager"), x->manager);
		if (x->subresource.len > SUBRESOURCE_NAME_MAX)
			causes_too_long(c, FIELD(at, "subresource"), SUBRESOURCE_NAME_MAX);
	}
}
