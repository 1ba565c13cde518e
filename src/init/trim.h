/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gives back memory that was used to get here: pages of cold code (services.ld), and of the stack
 * below us. */
void trim(void);
