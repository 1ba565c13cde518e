/* SPDX-License-Identifier: Apache-2.0 */
/* A name for a container that was given none: two words that are easily said and told apart. */
#include <stdio.h>
#include <sys/random.h>

#include "life/internal.h"

static const char *const adjectives[] = { "amber", "ancient", "autumn", "bold", "brave", "bright",
	"brisk", "calm", "careful", "cheerful", "clever", "cobalt", "copper", "crimson", "curious",
	"daring", "deep", "eager", "early", "elder", "fair", "fleet", "fond", "frosty", "gentle",
	"gilded", "golden", "grand", "green", "happy", "hardy", "hidden", "hollow", "honest",
	"humble", "idle", "ivory", "jolly", "keen", "kind", "lively", "lone", "lucky", "lunar",
	"mellow", "merry", "mild", "mossy", "narrow", "nimble", "noble", "olive", "patient",
	"plain", "polite", "proud", "quick", "quiet", "rapid", "restless", "rosy", "rustic",
	"scarlet", "serene", "shady", "silent", "silver", "simple", "sleepy", "slender", "solar",
	"solid", "spring", "steady", "stout", "summer", "sunny", "swift", "tender", "tidy",
	"tranquil", "upright", "vivid", "wandering", "warm", "wild", "winter", "wise", "witty",
	"young" };
static const char *const nouns[] = { "acacia", "alder", "ash", "aspen", "badger", "bamboo",
	"banyan", "beech", "birch", "bison", "briar", "cedar", "cherry", "clover", "condor",
	"cormorant", "crane", "cypress", "dolphin", "eagle", "elder", "elk", "elm", "falcon",
	"fern", "fig", "finch", "fir", "fox", "gecko", "ginkgo", "gull", "hare", "hawk", "hazel",
	"heron", "holly", "ibex", "ibis", "ivy", "jackdaw", "juniper", "kestrel", "larch", "lark",
	"laurel", "lemur", "lichen", "linden", "lotus", "lynx", "magpie", "maple", "marten", "moss",
	"myrtle", "newt", "oak", "olive", "orca", "osprey", "otter", "owl", "palm", "pine",
	"plover", "poplar", "quail", "raven", "reed", "robin", "rowan", "sage", "salmon", "sequoia",
	"sparrow", "spruce", "stork", "swan", "swift", "teal", "thistle", "thrush", "tulip", "vine",
	"walnut", "willow", "wren", "yarrow", "yew" };

/* A later attempt has a number behind it: no name is taken for ever. */
const char *name_make(struct arena *a, unsigned attempt)
{
	unsigned short random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		random[0] = random[1] = (unsigned short)attempt;
	if (attempt < 3)
		return arena_printf(a, "%s_%s", adjectives[random[0] % ARRAY_LEN(adjectives)],
			nouns[random[1] % ARRAY_LEN(nouns)]);
	return arena_printf(a, "%s_%s%u", adjectives[random[0] % ARRAY_LEN(adjectives)],
		nouns[random[1] % ARRAY_LEN(nouns)], random[0] ^ random[1]);
}
