#include "controller-manager/volume_match.h"

#include "lib/base/test.h"

static struct quantity_map storage(struct test *t, const char *size)
{
	struct quantity_entry *q = arena_get(&t->arena, sizeof(*q));
	struct err e;

	q->key = STR("storage");
	CHECK_OK(quantity_parse(str_of(size), &q->value, &e), &e);
	return (struct quantity_map){q, 1};
}

static struct persistent_volume *make_volume(
	struct test *t, const char *size, str *modes, size_t mode_count)
{
	struct persistent_volume *v = object_new(&t->arena, api_type(API_PERSISTENT_VOLUME));

	v->metadata.name = str_of(size);
	v->spec.capacity = storage(t, size);
	v->spec.access_modes = (struct str_list){modes, mode_count};
	v->status.phase = STR("Available");
	return v;
}

static struct persistent_volume_claim *make_claim(struct test *t, const char *size, str *mode)
{
	struct persistent_volume_claim *c = object_new(
		&t->arena, api_type(API_PERSISTENT_VOLUME_CLAIM));

	c->metadata.name = STR("claim");
	c->metadata.namespace = STR("ns");
	c->metadata.uid = STR("uid");
	c->spec.resources.requests = storage(t, size);
	c->spec.access_modes = (struct str_list){mode, 1};
	return c;
}

TEST(the_smallest_of_the_fewest_modes_is_best)
{
	str modes[] = {STR("ReadWriteOnce"), STR("ReadOnlyMany")};
	struct volume_wish w = {.claim = make_claim(t, "2Gi", modes)};
	const struct persistent_volume *shared = make_volume(t, "2Gi", modes, 2),
				       *big = make_volume(t, "5Gi", modes, 1),
				       *fitting = make_volume(t, "3Gi", modes, 1),
				       *small = make_volume(t, "1Gi", modes, 1),
				       *other = make_volume(t, "2Gi", modes + 1, 1);

	CHECK(volume_better(&w, NULL, small) == NULL);
	CHECK(volume_better(&w, NULL, other) == NULL);
	CHECK(volume_better(&w, NULL, shared) == shared);
	CHECK(volume_better(&w, shared, big) == big);
	CHECK(volume_better(&w, big, fitting) == fitting);
	CHECK(volume_better(&w, fitting, shared) == fitting);
	w.kept_only = true;
	CHECK(volume_better(&w, NULL, fitting) == NULL);
}

TEST(what_is_kept_for_a_claim_goes_before_others)
{
	str mode = STR("ReadWriteOnce");
	struct volume_wish w = {.claim = make_claim(t, "1Gi", &mode), .kept_only = true};
	struct persistent_volume *kept = make_volume(t, "5Gi", &mode, 1);
	struct object_reference ref = {.namespace = STR("ns"), .name = STR("claim")};

	kept->spec.claim_ref = &ref;
	kept->spec.storage_class_name = STR("another");
	CHECK(volume_better(&w, NULL, kept) == kept);
	w.kept_only = false;
	CHECK(volume_better(&w, kept, make_volume(t, "1Gi", &mode, 1)) == kept);
	ref.uid = STR("of an older claim");
	CHECK(volume_better(&w, NULL, kept) == NULL);
}

TEST(a_volume_that_was_asked_for_says_why_it_does_not_do)
{
	str mode = STR("ReadWriteOnce"), block = STR("Block"), many = STR("ReadWriteMany");
	struct persistent_volume_claim *c = make_claim(t, "1Gi", &mode);
	struct persistent_volume *v = make_volume(t, "1Gi", &mode, 1);
	struct err e;

	CHECK_OK(volume_check(v, c, &e), &e);
	c->spec.access_modes.at = &many;
	CHECK_FAILS(volume_check(v, c, &e), &e, ERR_INVALID, "incompatible accessMode");
	c->spec.volume_mode = &block;
	CHECK_FAILS(volume_check(v, c, &e), &e, ERR_INVALID, "incompatible volumeMode");
	v->spec.storage_class_name = STR("fast");
	CHECK_FAILS(volume_check(v, c, &e), &e, ERR_INVALID, "storageClassName does not match");
	c->spec.resources.requests = storage(t, "2Gi");
	CHECK_FAILS(volume_check(v, c, &e), &e, ERR_INVALID, "requested PV is too small");
}
