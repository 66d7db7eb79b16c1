"""The columns of the field table for row micro-ops; a test holds them against the instructions."""

LG_DST, LG_N, LG_A, LG_ASTEP, LG_B, LG_BSTEP, LG_TABLE = range(1, 8)
SU_DST, SU_N, SU_A, SU_AN, SU_AS, SU_B, SU_BN, SU_BS, SU_SUB = range(1, 10)
SI_DST, SI_N, SI_A, SI_AN, SI_AS, SI_NEG, SI_IMM = range(1, 8)
CM_DST, CM_OP, CM_INV, CM_A, CM_AN, CM_AS, CM_B, CM_BN, CM_BS = range(1, 10)
CI_IMM = 7
SE_DST, SE_N, SE_TAG, SE_A, SE_AN, SE_AS, SE_B, SE_BN, SE_BS = range(1, 10)
MV_DST, MV_N, MV_A, MV_BY = range(1, 5)
CO_SLOT, CO_OP, CO_CLEAR, CO_A, CO_AN, CO_AS, CO_MASK = range(1, 8)
(BI_DST, BI_N, BI_PORT, BI_CHAN, BI_BORDER, BI_PAD, BI_PITCH, BI_LINES, BI_WIDTH,
 BI_COUNTER) = range(1, 11)  # fmt: skip
(BO_A, BO_AN, BO_AS, BO_PORT, BO_CHAN, BO_FIRST, BO_STEP, BO_PITCH, BO_LINES, BO_WIDTH,
 BO_COUNTER) = range(1, 12)  # fmt: skip
RO_SLOT, RO_N, RO_PORT, RO_CHAN = range(1, 5)
SP_ROW, SP_N, SP_BUFFER, SP_PLANE, SP_CHAN, SP_PITCH, SP_LINES, SP_WIDTH, SP_COUNTER = range(1, 10)
(PK_ROW, PK_N, PK_BUFFER, PK_PLANE, PK_CHAN, PK_FIRST, PK_STEP, PK_PITCH, PK_LINES, PK_WIDTH,
 PK_COUNTER) = range(1, 12)  # fmt: skip
AC_MACROS = 1
ANY_OF = 1
"""The reduction of COUNT that asks for any column; the other one is 0."""
EDGE = 1
"""The border of BANDIN that repeats the nearest pixel."""
