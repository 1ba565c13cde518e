/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit's property as a word of the command line, and as what D-Bus carries. The word is
 * NAME=SIGNATURE:TEXT:
 *
 *   Slice=s:system.slice   Delegate=b:true   MemoryMax=t:1048576   TasksMax=t:max   PIDs=au:77
 *   AllowedCPUs=ay:03      DeviceAllow=a(ss):/dev/null rwm;char-136 rw
 *   KillMode=v:'mixed'     anything a person wrote, in GVariant's text form
 *
 * Of that form there is what properties of units are made of: true and false, numbers, strings, all
 * of these with a type before it ("uint64 5", "@t 5"), and lists of them in brackets.
 */
#pragma once

#include <systemd/sd-bus.h>

/* Appends one (sv) pair; 0, or -EINVAL for what is no such word, or sd-bus's error. */
int value_append(sd_bus_message *m, const char *word);
