/* SPDX-License-Identifier: Apache-2.0 */
/* docker's view of an OCI configuration: what inspect has under Config, HostConfig and Mounts. */
#pragma once

#include "base/json.h"

/* All take the parsed configuration, or NULL where it cannot be read. */
struct life_info;
void inspect_config(struct json_writer *w, const struct json *config, const struct life_info *info);
void inspect_host_config(struct json_writer *w, const struct json *config);
void inspect_mounts(struct json_writer *w, const struct json *config);
void inspect_path_args(struct json_writer *w, const struct json *config);
