"""A short text of each format, with every form of line, events and damage; written for these tests."""

from __future__ import annotations

import base64

ASC = """\
date Sat Sep 30 03:06:13.191 pm 2017
base hex  timestamps absolute
internal events logged
// version 9.0.0
Begin Triggerblock Sat Sep 30 03:06:13.191 pm 2017
   0.000000 Start of measurement
   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0
   1.015991 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%
   2.501000 1 ErrorFrame
   2.501010 1 ErrorFrame ECC: 10100010
   2.510001 2 100 Tx r
   2.520002 3 200 Rx r Length = 1704000 BitCount = 145 ID = 88888888x
   2.584921 4 300 Tx r 8 Length = 1704000 BitCount = 145 ID = 88888888x
   3.098426 1  18EBFF00x       Rx d 8 01 A0 0F A6 60 3B D1 40    Length = 273910 BitCount = 141 ID = 418119424x
   3.297743 1  J1939TP FEE3p        6    0  0   -   Rx   d 23 A0 0F A6 60 3B D1 40 1F DE 80 25 DF C0 2B E1 00
   3.300000 1  3FF             Tx   d D 55 AA 01 02 03 04 05 06
   3.400000 1  123             TxRq d 0
  17.876708 1  6F9             Rx   d 2 05 0C
  18.000000 1  6F9             Rx   d 8 05 0C
  18.000000 1  6F
  30.005071 CANFD   2 Rx        300  Generic_Name_12                  1 0 8  8 01 02 03 04 05 06 07 08   102203  133   303000 e0006659
  30.300981 CANFD   3 Tx     50005x                                0 1 5 0 140000 73 200050 7a60 46500250
  30.506898 CANFD   4 Rx        4EE                                   0 1 9 12 A1 02 03 04 00 00 00 00 00 00 00 0C   1331984  11   0
  30.806898 CANFD   5 Tx ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca Arb. 556 44 0 0 f 64 00
  31.000000 CANFD   5 Tx 4EE 0 1 9 12 A1 02
End TriggerBlock
"""
TRC_1_1 = """\
;$FILEVERSION=1.1
;$STARTTIME=44548.6028595139
;
;   Start time: 18.12.2021 14:28:07.062.0
;---+--   ----+----  --+--  ----+---  +  -+ -- -- -- -- -- -- --
     1)     17535.4  Tx     00000100  8  00 00 00 00 00 00 00 01
     2)     17540.3  Warng  FFFFFFFF  4  00 00 00 08  BUSHEAVY
     3)     17700.3  Rx         0100  2  0A 0B
     4)     17710.3  Error      0002  4  00 00 00 00
     5)     17720    Rx         0704  1  RTR
     6)     17730.5  Rx         0704  3  01 02
"""
TRC_2_1 = """\
;$FILEVERSION=2.1
;$STARTTIME=44548.6028595139
;$COLUMNS=N,O,T,B,I,d,R,L,D
;
      1     17535.400 DT 1  00000100 Tx -  8    00 00 00 00 00 00 00 01
      2     17540.300 ST 1         - Rx -  4    00 00 00 08
      3     17700.300 FD 2      0100 Rx -  9    00 01 02 03 04 05 06 07 08 09 0A 0B
      4     17700.400 BI 2      0101 Rx -  2    00 01
      5     17701.000 RR 1      0704 Rx -  1
      6     17702.000 ER 1         - Rx -  5    04 00 02 00 00
      7     17703.000 DT 1      0704 Rx -  3    01 02
"""
BUSMASTER = """\
***BUSMASTER Ver 2.4.0***
***[START LOGGING SESSION]***
***START DATE AND TIME 23:9:2015 23:59:58:928***
***HEX***
***SYSTEM MODE***
***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
23:59:59:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD
00:00:00:2 Tx 2 0x0000023A x 1 00
00:00:00:12 Rx 2 0x23A sr 2
00:00:00:12 Rx 2 0x23A xr 0
00:00:00:13 Rx 2 0x23A s 2 00
***[STOP LOGGING SESSION]***
"""
CAR_BUS = (
    "@ TEXT @ 2 @ 64 @ 0 @ 55 @ 10078 @ 00:00:10.078 @\r"
    "59,016\t1\t0004\t45A\t8\t5A 04 00 00 00 00 00 00\t00000000\tZ       \t\r"
    "00,734\t2\t0004\t18DAF110\t2\t24 00\t00000000\t$       \t\r"
    "01,734\t2\t0004\t18DAF110\t2\t24\t00000000\t$       \t\r"
)
MICROCHIP = """\
//---------------------------------
Microchip Technology Inc.
CAN BUS Analyzer
Logging Started: 23/9/2015 22:17:43
//---------------------------------
166064;RX;0x0000021A;2;0xFE;0x36;
166065.5;TX;0x18DAF110;0;
166066;RX;0x21A;2;0xFE
"""
SAVVYCAN = """\
Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
-1767062175875212,000005C0,false,Rx,0,8,63,00,00,FF,FF,10,2E,D9,
-1767062175874212,18DAF110,true,Tx,1,2,63,1,00,00,00,00,00,00,
-1767062175864212,2.00E+06,false,Rx,0,1,63,00,00,00,00,00,00,00,
-1767062175863212,000005C0,false,Rx,0,8,63,00
"""
SAVVYCAN_ID = """\
ID,Data Bytes
0000021A,FE 36 12 FE 69 05 07 AD
18DAF110,01
00000100,0G
"""
PYTHON_CAN = "timestamp,arbitration_id,extended,remote,error,dlc,data\n" + "".join(
    f"{1483389946.197 + row:.3f},0x{identifier:x},{extended},{remote},0,{len(data) or 4 * remote},{base64.b64encode(data).decode()}\n"
    for row, (identifier, extended, remote, data) in enumerate(
        [(0xDADADA, 1, 0, b"\xd6\xab\xd1\xbd\x1d"), (0x123, 0, 1, b""), (0x7FF, 0, 0, bytes(range(12))), (1, 0, 0, b"")]
    )
) + "1483389955.0,0x123,0,0,0,3,AQI\n"  # fmt: skip
TAB_LOGGER = """\
ParserFlags\tCh\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\t
1\t0\t1\tRX\t565214935\t\t0x00000603\t1\t0x00 \t
1\t1\t2\tTX\t565214976\t\t0x000001d4\t3\t0xa0 6d 00 \t
1\t1\t3\tTX\t565214976\t\t0x000001d4\t3\t0xa0 6d \t
"""
VEHICLE_SPY = """\
Line,Abs Time(Sec),Rel Time (Sec),Status,Er,Tx,Description,Network,Node,Arb ID,Remote,Xtd,B1,B2,B3,B4,B5,B6,B7,B8,Value,Trigger,Signals
1,2550.368293675,0,67371008,F,F,HS CAN $119,HS CAN,,119,F,F,00,00,00,00,00,00,0D,8B,,,
2,2550.368793675,0.0005,67371008,F,T,x,MS CAN,,18DAF110,F,T,01,02,,,,,,,,,
"""
COMMON = """\
time;addr;bus;data
0.10;0x1A;0;0102
0.25;0x18DAF110;1;FF
0.26;0x18DAF110;1;F
"""
CRTD = """\
1320745424.000 CXX OVMS Tesla Roadster cando2crtd converted log
1320745424.002 R11 402 FA 01 C3 A0 96 00 07 01
1320745424.015 2R29 18DAF110 02
1320745424.066 T11 400
1320745424.106 CEV Open charge port door
1320745424.206 R11 400 0
1320745424.207 R11 400 0Z
"""
OBD_TEXT = """\
>03
7E8 10 0E 43 06 01 00 02 00
18 DA F1 10 03 7F 22 31
18DAF110 03 7F 22 31
7E8100E430601000200
48 6B 10 43 03 06 03 56 00 00 DC
NO DATA
7E8 10 0G
"""
TEXTS = {
    "Vector ASC": ASC, "PEAK TRC": TRC_1_1, "BUSMASTER": BUSMASTER, "CAR BUS Analyzer": CAR_BUS,
    "Microchip CAN BUS Analyzer": MICROCHIP, "SavvyCAN CSV": SAVVYCAN, "SavvyCAN ID CSV": SAVVYCAN_ID, "python-can CSV": PYTHON_CAN,
    "tab-separated logger": TAB_LOGGER, "Vehicle Spy CSV": VEHICLE_SPY, "delimited text": COMMON, "CRTD": CRTD, "OBD text": OBD_TEXT,
}  # fmt: skip
MORE_TEXTS = {"PEAK TRC": TRC_2_1, "Vector ASC": ASC.replace("base hex", "base dec").replace("absolute", "relative")}
