/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a profile as a BPF program: for each architecture a search tree over runs of
 * numbers with equal verdict, so that a system call is decided in some ten instructions however
 * long the profile is.
 */
#pragma once

#include "base/err.h"
#include "plan/plan.h"
#include "spec/spec.h"

/*
 * Fills ret with a program whose memory lies in the arena. machine: uname(2)'s word for the
 * native architecture. Names that no architecture here knows are skipped, as every runtime does;
 * unknown actions, operators, flags and architectures are an error in e.
 */
int seccomp_compile(const struct spec_seccomp *s, const char *machine, struct arena *a,
	struct plan_seccomp *ret, struct err *e);
