/* SPDX-License-Identifier: Apache-2.0 */
/* A 32-bit program with a zombie: forks a child that ends, then sleeps. No C library. */
	.globl	_start
_start:
	movl	$2, %eax	/* fork */
	int	$0x80
	testl	%eax, %eax
	jnz	parent
	movl	$1, %eax	/* exit */
	xorl	%ebx, %ebx
	int	$0x80
parent:
	movl	$29, %eax	/* pause */
	int	$0x80
	jmp	parent
	.section .note.GNU-stack, "", @progbits
