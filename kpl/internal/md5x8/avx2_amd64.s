// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !purego

#include "textflag.h"

// MD5 of eight messages side by side. A register has eight elements of 32 bits, one for each message (lane).

// TRANSPOSE reads 32 bytes of each lane, from offset on, and writes them to the stack as eight registers. Each register has
// one word of all lanes.
#define TRANSPOSE(offset, words) \
	VMOVDQU offset(AX)(R13*1), Y0  \
	VMOVDQU offset(BX)(R13*1), Y1  \
	VMOVDQU offset(CX)(R13*1), Y2  \
	VMOVDQU offset(DX)(R13*1), Y3  \
	VMOVDQU offset(SI)(R13*1), Y4  \
	VMOVDQU offset(DI)(R13*1), Y5  \
	VMOVDQU offset(R8)(R13*1), Y6  \
	VMOVDQU offset(R9)(R13*1), Y7  \
	VPUNPCKLDQ Y1, Y0, Y8          \
	VPUNPCKHDQ Y1, Y0, Y9          \
	VPUNPCKLDQ Y3, Y2, Y10         \
	VPUNPCKHDQ Y3, Y2, Y11         \
	VPUNPCKLDQ Y5, Y4, Y12         \
	VPUNPCKHDQ Y5, Y4, Y13         \
	VPUNPCKLDQ Y7, Y6, Y14         \
	VPUNPCKHDQ Y7, Y6, Y15         \
	VPUNPCKLQDQ Y10, Y8, Y0        \
	VPUNPCKHQDQ Y10, Y8, Y1        \
	VPUNPCKLQDQ Y11, Y9, Y2        \
	VPUNPCKHQDQ Y11, Y9, Y3        \
	VPUNPCKLQDQ Y14, Y12, Y4       \
	VPUNPCKHQDQ Y14, Y12, Y5       \
	VPUNPCKLQDQ Y15, Y13, Y6       \
	VPUNPCKHQDQ Y15, Y13, Y7       \
	VPERM2I128 $0x20, Y4, Y0, Y8   \
	VPERM2I128 $0x20, Y5, Y1, Y9   \
	VPERM2I128 $0x20, Y6, Y2, Y10  \
	VPERM2I128 $0x20, Y7, Y3, Y11  \
	VPERM2I128 $0x31, Y4, Y0, Y12  \
	VPERM2I128 $0x31, Y5, Y1, Y13  \
	VPERM2I128 $0x31, Y6, Y2, Y14  \
	VPERM2I128 $0x31, Y7, Y3, Y15  \
	VMOVDQU Y8, words+0(SP)        \
	VMOVDQU Y9, words+32(SP)       \
	VMOVDQU Y10, words+64(SP)      \
	VMOVDQU Y11, words+96(SP)      \
	VMOVDQU Y12, words+128(SP)     \
	VMOVDQU Y13, words+160(SP)     \
	VMOVDQU Y14, words+192(SP)     \
	VMOVDQU Y15, words+224(SP)

// ADD is what all steps end with: a = b + rotate(a + Y8 + word k + constant i, by s bits). It uses Y9.
#define ADD(a, b, k, i, s) \
	VPBROADCASTD (i*4)(R10), Y9 \
	VPADDD (k*32)(SP), Y9, Y9   \
	VPADDD Y9, a, a             \
	VPADDD Y8, a, a             \
	VPSLLD $s, a, Y9            \
	VPSRLD $(32-s), a, a        \
	VPOR Y9, a, a               \
	VPADDD b, a, a

// F, G, H and I are a step of the first, second, third and fourth round: they compute the round's function of b, c and d
// in Y8. The bits of Y15 are all ones.
#define F(a, b, c, d, k, i, s) \
	VPXOR c, d, Y8  \
	VPAND b, Y8, Y8 \
	VPXOR d, Y8, Y8 \
	ADD(a, b, k, i, s)
#define G(a, b, c, d, k, i, s) \
	VPXOR b, c, Y8  \
	VPAND d, Y8, Y8 \
	VPXOR c, Y8, Y8 \
	ADD(a, b, k, i, s)
#define H(a, b, c, d, k, i, s) \
	VPXOR c, d, Y8  \
	VPXOR b, Y8, Y8 \
	ADD(a, b, k, i, s)
#define I(a, b, c, d, k, i, s) \
	VPXOR Y15, d, Y8 \
	VPOR b, Y8, Y8   \
	VPXOR c, Y8, Y8  \
	ADD(a, b, k, i, s)

// func addBlocks(words *state, lanes *[8]*byte, blocks int)
//
// AX, BX, CX, DX, SI, DI, R8, R9: where the lanes' blocks begin. R10: the constants. R11: the bytes of each lane, R13: how
// many of them are taken in. R12: the state.
TEXT ·addBlocks(SB), 0, $512-24
	MOVQ lanes+8(FP), R11
	MOVQ 0(R11), AX
	MOVQ 8(R11), BX
	MOVQ 16(R11), CX
	MOVQ 24(R11), DX
	MOVQ 32(R11), SI
	MOVQ 40(R11), DI
	MOVQ 48(R11), R8
	MOVQ 56(R11), R9
	LEAQ ·constants(SB), R10
	MOVQ words+0(FP), R12
	MOVQ blocks+16(FP), R11
	SHLQ $6, R11
	XORQ R13, R13

block:
	CMPQ R13, R11
	JGE  done
	TRANSPOSE(0, 0)
	TRANSPOSE(32, 256)
	VMOVDQU 0(R12), Y0
	VMOVDQU 32(R12), Y1
	VMOVDQU 64(R12), Y2
	VMOVDQU 96(R12), Y3
	VPCMPEQD Y15, Y15, Y15
	F(Y0, Y1, Y2, Y3, 0, 0, 7)
	F(Y3, Y0, Y1, Y2, 1, 1, 12)
	F(Y2, Y3, Y0, Y1, 2, 2, 17)
	F(Y1, Y2, Y3, Y0, 3, 3, 22)
	F(Y0, Y1, Y2, Y3, 4, 4, 7)
	F(Y3, Y0, Y1, Y2, 5, 5, 12)
	F(Y2, Y3, Y0, Y1, 6, 6, 17)
	F(Y1, Y2, Y3, Y0, 7, 7, 22)
	F(Y0, Y1, Y2, Y3, 8, 8, 7)
	F(Y3, Y0, Y1, Y2, 9, 9, 12)
	F(Y2, Y3, Y0, Y1, 10, 10, 17)
	F(Y1, Y2, Y3, Y0, 11, 11, 22)
	F(Y0, Y1, Y2, Y3, 12, 12, 7)
	F(Y3, Y0, Y1, Y2, 13, 13, 12)
	F(Y2, Y3, Y0, Y1, 14, 14, 17)
	F(Y1, Y2, Y3, Y0, 15, 15, 22)
	G(Y0, Y1, Y2, Y3, 1, 16, 5)
	G(Y3, Y0, Y1, Y2, 6, 17, 9)
	G(Y2, Y3, Y0, Y1, 11, 18, 14)
	G(Y1, Y2, Y3, Y0, 0, 19, 20)
	G(Y0, Y1, Y2, Y3, 5, 20, 5)
	G(Y3, Y0, Y1, Y2, 10, 21, 9)
	G(Y2, Y3, Y0, Y1, 15, 22, 14)
	G(Y1, Y2, Y3, Y0, 4, 23, 20)
	G(Y0, Y1, Y2, Y3, 9, 24, 5)
	G(Y3, Y0, Y1, Y2, 14, 25, 9)
	G(Y2, Y3, Y0, Y1, 3, 26, 14)
	G(Y1, Y2, Y3, Y0, 8, 27, 20)
	G(Y0, Y1, Y2, Y3, 13, 28, 5)
	G(Y3, Y0, Y1, Y2, 2, 29, 9)
	G(Y2, Y3, Y0, Y1, 7, 30, 14)
	G(Y1, Y2, Y3, Y0, 12, 31, 20)
	H(Y0, Y1, Y2, Y3, 5, 32, 4)
	H(Y3, Y0, Y1, Y2, 8, 33, 11)
	H(Y2, Y3, Y0, Y1, 11, 34, 16)
	H(Y1, Y2, Y3, Y0, 14, 35, 23)
	H(Y0, Y1, Y2, Y3, 1, 36, 4)
	H(Y3, Y0, Y1, Y2, 4, 37, 11)
	H(Y2, Y3, Y0, Y1, 7, 38, 16)
	H(Y1, Y2, Y3, Y0, 10, 39, 23)
	H(Y0, Y1, Y2, Y3, 13, 40, 4)
	H(Y3, Y0, Y1, Y2, 0, 41, 11)
	H(Y2, Y3, Y0, Y1, 3, 42, 16)
	H(Y1, Y2, Y3, Y0, 6, 43, 23)
	H(Y0, Y1, Y2, Y3, 9, 44, 4)
	H(Y3, Y0, Y1, Y2, 12, 45, 11)
	H(Y2, Y3, Y0, Y1, 15, 46, 16)
	H(Y1, Y2, Y3, Y0, 2, 47, 23)
	I(Y0, Y1, Y2, Y3, 0, 48, 6)
	I(Y3, Y0, Y1, Y2, 7, 49, 10)
	I(Y2, Y3, Y0, Y1, 14, 50, 15)
	I(Y1, Y2, Y3, Y0, 5, 51, 21)
	I(Y0, Y1, Y2, Y3, 12, 52, 6)
	I(Y3, Y0, Y1, Y2, 3, 53, 10)
	I(Y2, Y3, Y0, Y1, 10, 54, 15)
	I(Y1, Y2, Y3, Y0, 1, 55, 21)
	I(Y0, Y1, Y2, Y3, 8, 56, 6)
	I(Y3, Y0, Y1, Y2, 15, 57, 10)
	I(Y2, Y3, Y0, Y1, 6, 58, 15)
	I(Y1, Y2, Y3, Y0, 13, 59, 21)
	I(Y0, Y1, Y2, Y3, 4, 60, 6)
	I(Y3, Y0, Y1, Y2, 11, 61, 10)
	I(Y2, Y3, Y0, Y1, 2, 62, 15)
	I(Y1, Y2, Y3, Y0, 9, 63, 21)
	VPADDD 0(R12), Y0, Y0
	VPADDD 32(R12), Y1, Y1
	VPADDD 64(R12), Y2, Y2
	VPADDD 96(R12), Y3, Y3
	VMOVDQU Y0, 0(R12)
	VMOVDQU Y1, 32(R12)
	VMOVDQU Y2, 64(R12)
	VMOVDQU Y3, 96(R12)
	ADDQ $64, R13
	JMP  block

done:
	VZEROUPPER
	RET
