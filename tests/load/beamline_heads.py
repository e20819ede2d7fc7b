"""Headers of beamline texts, and rows of numbers, for tests."""

import numpy as np

PF = """  9809     KEK-PF   BL12C
 A:ta  07.05.12 23:28 - 07.05.12 23:55
 pellet
 Ring :   2.5 GeV   348.8 mA -  342.8 mA
 Mono :   SI(111)       D=  3.13551 A    Initial angle=  9.25969 deg
 Ortec(-1)     NDCH = 3
  Angle(c)  Angle(o)    time/s         2         3
      Mode         0         0         1         2
    Offset         0         0     0.000     0.000
"""
SSRL = """SSRL   EXAFS Data Collector 1.3
Sun May 21 00:13:57 2006
PTS:        81 COLS:          6
TRANS.DET
A.RGN
2-3 unfocused  0.000 -2 Si(220) 1.920156   100000
4 2000 25 RST 0 0
pellet
Weights:
 1.000  1.000  1.000  1.000  1.000  1.000
Offsets:
 0.000  0.000  0.000  0.000  0.000  0.000
Data:
Real time clock
Requested Energy
Achieved Energy
I0
I1
I2
"""
EPICS = """; Epics Scan 1 dimensional scan
; column labels:
; P1 = {Energy} --> 13BMA:E:Energy.VAL
; D1 = {I0}  --> 13BMD:scaler1_calc2.VAL
; D2 = {I1}  --> 13BMD:scaler1_calc3.VAL
;--------------------------------------------
;  P1 D1 D2
"""


def rows(*columns: np.ndarray, fmt: str = "%.10g", sep: str = " ") -> str:
    return "\n".join(sep.join(fmt % value for value in row) for row in zip(*columns, strict=True)) + "\n"
