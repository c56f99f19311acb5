#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(4*sizeof(Trans **));

	/* proctype 2: :init: */

	trans[2] = (Trans **) emalloc(21*sizeof(Trans *));

	T = trans[ 2][15] = settr(500,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(500,2,4,0,0,"ATOMIC", 1, 2, 0);
	T = trans[2][4] = settr(489,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(489,2,1,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(489,2,2,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(489,2,3,0,0,"IF", 1, 2, 0);
	trans[2][1]	= settr(486,2,8,3,3,"mode = 1", 1, 2, 0);
	trans[2][5]	= settr(490,2,8,1,0,".(goto)", 1, 2, 0);
	trans[2][2]	= settr(487,2,8,4,4,"mode = 2", 1, 2, 0);
	trans[2][3]	= settr(488,2,8,5,5,"mode = 3", 1, 2, 0);
	T = trans[2][8] = settr(493,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(493,2,6,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(493,2,7,0,0,"IF", 1, 2, 0);
	trans[2][6]	= settr(491,2,10,6,6,"batch = 1", 1, 2, 0);
	trans[2][9]	= settr(494,2,10,1,0,".(goto)", 1, 2, 0);
	trans[2][7]	= settr(492,2,10,7,7,"batch = 2", 1, 2, 0);
	trans[2][10]	= settr(495,2,11,8,8,"(run store_buffer(0))", 1, 2, 0);
	trans[2][11]	= settr(496,2,12,9,9,"(run store_buffer(1))", 1, 2, 0);
	trans[2][12]	= settr(497,2,13,10,10,"life[1] = 1", 1, 2, 0);
	trans[2][13]	= settr(498,2,14,11,11,"(run domain(0,0,0))", 1, 2, 0);
	trans[2][14]	= settr(499,0,16,12,12,"(run domain(1,1,1))", 1, 2, 0);
	trans[2][16]	= settr(501,0,17,13,0,"(timeout)", 1, 3000, 0);
	trans[2][17]	= settr(502,0,18,14,0,"assert((sent==3))", 1, 2, 0);
	trans[2][18]	= settr(503,0,19,15,0,"assert((handled[1]==3))", 1, 2, 0);
	trans[2][19]	= settr(504,0,20,16,0,"assert(((mode==3)||(handled[0]==(3*( ((mode==2)) -> (2) : (1) )))))", 1, 2, 0);
	trans[2][20]	= settr(505,0,0,17,17,"-end-", 0, 3500, 0);

	/* proctype 1: domain */

	trans[1] = (Trans **) emalloc(456*sizeof(Trans *));

	T = trans[ 1][454] = settr(484,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(484,0,1,0,0,"sub-sequence", 0, 2, 0);
	trans[1][1]	= settr(31,0,39,18,18,"e = first", 0, 2, 0);
	trans[1][40]	= settr(70,0,39,1,0,".(goto)", 0, 2, 0);
	T = trans[1][39] = settr(69,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(69,0,2,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(69,0,37,0,0,"DO", 0, 2, 0);
	trans[1][2]	= settr(32,0,35,19,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][35] = settr(65,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(65,0,19,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][19]	= settr(49,32,34,20,20,"D_STEP613", 1, 2, 0);
	T = trans[ 1][34] = settr(64,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(64,0,25,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][25] = settr(55,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(55,0,20,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(55,0,24,0,0,"IF", 0, 2, 0);
	trans[1][20]	= settr(50,0,23,21,0,"((own[e].my_sleeping&1))", 1, 2, 0);
	T = trans[ 1][23] = settr(53,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(53,2,21,0,0,"ATOMIC", 1, 3, 0);
	trans[1][21]	= settr(51,2,22,22,22,"own[e].my_sleeping = (own[e].my_sleeping+1)", 1, 3, 0);
	trans[1][22]	= settr(52,0,32,23,23,"buffer[me]!e,SLEEPING,own[e].my_sleeping", 1, 3, 0);
	trans[1][26]	= settr(56,0,32,1,0,".(goto)", 0, 2, 0);
	trans[1][24]	= settr(54,0,32,2,0,"else", 0, 2, 0);
	T = trans[1][32] = settr(62,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(62,0,27,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(62,0,31,0,0,"IF", 0, 2, 0);
	trans[1][27]	= settr(57,0,30,24,0,"((own[e].my_want_room&1))", 1, 2, 0);
	T = trans[ 1][30] = settr(60,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(60,2,28,0,0,"ATOMIC", 1, 3, 0);
	trans[1][28]	= settr(58,2,29,25,25,"own[e].my_want_room = (own[e].my_want_room+1)", 1, 3, 0);
	trans[1][29]	= settr(59,0,39,26,26,"buffer[me]!e,WANT_ROOM,own[e].my_want_room", 1, 3, 0); /* m: 36 -> 39,0 */
	reached1[36] = 1;
	trans[1][33]	= settr(63,0,36,1,0,".(goto)", 0, 2, 0); /* m: 36 -> 0,39 */
	reached1[36] = 1;
	trans[1][31]	= settr(61,0,36,2,0,"else", 0, 2, 0);
	trans[1][36]	= settr(66,0,39,27,27,"e = (e+1)", 0, 2, 0);
	trans[1][37]	= settr(67,0,42,2,0,"else", 0, 2, 0);
	trans[1][38]	= settr(68,0,42,1,0,"goto :b1", 0, 2, 0); /* m: 42 -> 0,451 */
	reached1[42] = 1;
	trans[1][41]	= settr(71,0,42,1,0,"break", 0, 2, 0);
	trans[1][42]	= settr(72,0,451,28,28,"happened = 1", 0, 2, 0);
	trans[1][452]	= settr(482,0,451,1,0,".(goto)", 0, 2, 0);
	T = trans[1][451] = settr(481,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(481,0,448,0,0,"DO", 0, 2, 0);
#if 0
	/* dead link: */
	    T->nxt	= settr(481,0,449,0,0,"DO", 0, 2, 0);
#endif
	T = trans[ 1][448] = settr(478,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(478,0,43,0,0,"sub-sequence", 0, 2, 0);
	trans[1][43]	= settr(73,0,56,29,29,"retry = stalled", 0, 2, 0); /* m: 44 -> 0,56 */
	reached1[44] = 1;
	trans[1][44]	= settr(0,0,0,0,0,"stalled = 0",0,0,0);
	T = trans[1][56] = settr(86,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(86,0,45,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(86,0,55,0,0,"IF", 0, 2, 0);
	trans[1][45]	= settr(75,0,52,30,30,"(retry)", 0, 2, 0); /* m: 46 -> 52,0 */
	reached1[46] = 1;
	trans[1][46]	= settr(0,0,0,0,0,"e = first",0,0,0);
	trans[1][53]	= settr(83,0,52,1,0,".(goto)", 0, 2, 0);
	T = trans[1][52] = settr(82,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(82,0,47,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(82,0,50,0,0,"DO", 0, 2, 0);
	trans[1][47]	= settr(77,0,48,31,0,"((e<=last))", 0, 2, 0);
	trans[1][48]	= settr(78,0,49,32,32,"own[e].done_noted = memory[(e^1)].done", 1, 2, 0);
	trans[1][49]	= settr(79,0,52,33,33,"e = (e+1)", 0, 2, 0);
	trans[1][50]	= settr(80,0,58,2,0,"else", 0, 2, 0);
	trans[1][51]	= settr(81,0,58,1,0,"goto :b3", 0, 2, 0); /* m: 58 -> 0,193 */
	reached1[58] = 1;
	trans[1][54]	= settr(84,0,58,1,0,"break", 0, 2, 0);
	trans[1][57]	= settr(87,0,58,1,0,".(goto)", 0, 2, 0); /* m: 58 -> 0,193 */
	reached1[58] = 1;
	trans[1][55]	= settr(85,0,58,2,0,"else", 0, 2, 0);
	trans[1][58]	= settr(88,0,193,34,34,"e = first", 0, 2, 0);
	trans[1][194]	= settr(224,0,193,1,0,".(goto)", 0, 2, 0);
	T = trans[1][193] = settr(223,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(223,0,59,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(223,0,191,0,0,"DO", 0, 2, 0);
	trans[1][59]	= settr(89,0,189,35,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][189] = settr(219,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(219,0,60,0,0,"sub-sequence", 0, 2, 0);
	trans[1][60]	= settr(90,0,70,36,36,"own[e].stalled = 0", 1, 2, 0);
	T = trans[1][70] = settr(100,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(100,0,61,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(100,0,69,0,0,"IF", 0, 2, 0);
	trans[1][61]	= settr(91,0,68,37,0,"(own[e].short_of_room)", 1, 2, 0);
	T = trans[ 1][68] = settr(98,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(98,2,66,0,0,"ATOMIC", 1, 2, 0);
	T = trans[1][66] = settr(96,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(96,2,62,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(96,2,65,0,0,"IF", 1, 2, 0);
	trans[1][62]	= settr(92,0,79,38,38,"((memory[(e^1)].done!=(own[e].put_end-2)))", 1, 2, 0); /* m: 63 -> 79,0 */
	reached1[63] = 1;
	trans[1][63]	= settr(0,0,0,0,0,"own[e].short_of_room = 0",0,0,0);
	trans[1][64]	= settr(0,0,0,0,0,"happened = 1",0,0,0);
	trans[1][67]	= settr(97,0,79,39,39,".(goto)", 1, 2, 0);
	trans[1][65]	= settr(95,2,67,2,0,"else", 1, 2, 0);
	trans[1][71]	= settr(101,0,79,1,0,".(goto)", 0, 2, 0);
	trans[1][69]	= settr(99,0,79,2,0,"else", 0, 2, 0);
	T = trans[ 1][79] = settr(109,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(109,2,72,0,0,"ATOMIC", 1, 2, 0);
	trans[1][72]	= settr(102,2,77,40,40,"count = (memory[(e^1)].produced-own[e].taken)", 1, 2, 0); /* m: 73 -> 0,77 */
	reached1[73] = 1;
	trans[1][73]	= settr(0,0,0,0,0,"assert((count<=2))",0,0,0);
	T = trans[1][77] = settr(107,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(107,2,74,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(107,2,76,0,0,"IF", 1, 2, 0);
	trans[1][74]	= settr(104,0,186,41,41,"((count>batch))", 1, 2, 0); /* m: 75 -> 186,0 */
	reached1[75] = 1;
	trans[1][75]	= settr(0,0,0,0,0,"count = batch",0,0,0);
	trans[1][78]	= settr(108,0,186,42,42,".(goto)", 1, 2, 0);
	trans[1][76]	= settr(106,2,78,2,0,"else", 1, 2, 0);
	trans[1][187]	= settr(217,0,186,1,0,".(goto)", 0, 2, 0);
	T = trans[1][186] = settr(216,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(216,0,80,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(216,0,184,0,0,"DO", 0, 2, 0);
	trans[1][80]	= settr(110,0,86,43,0,"((count>0))", 0, 2, 0);
	T = trans[ 1][86] = settr(116,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(116,0,85,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][85] = settr(115,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(115,2,81,0,0,"ATOMIC", 1, 2, 0);
	trans[1][81]	= settr(111,4,172,44,44,"value = memory[(e^1)].entry[(own[e].taken%2)]", 1, 2, 0); /* m: 82 -> 0,172 */
	reached1[82] = 1;
	trans[1][82]	= settr(0,0,0,0,0,"own[e].taken = (own[e].taken+1)",0,0,0);
	trans[1][83]	= settr(0,0,0,0,0,"assert((value==own[e].taken))",0,0,0);
	trans[1][84]	= settr(0,0,0,0,0,"value = 0",0,0,0);
	T = trans[ 1][172] = settr(202,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(202,0,90,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][90] = settr(120,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(120,2,87,0,0,"ATOMIC", 1, 2, 0);
	trans[1][87]	= settr(117,4,164,45,45,"in_hand[e] = own[e].taken", 1, 2, 0); /* m: 88 -> 0,164 */
	reached1[88] = 1;
	trans[1][88]	= settr(0,0,0,0,0,"assert((own[e].taken<=(handled[e]+1)))",0,0,0);
	trans[1][89]	= settr(0,0,0,0,0,"assert((own[e].taken==(handled[e]+1)))",0,0,0);
	T = trans[ 1][164] = settr(194,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(194,0,91,0,0,"sub-sequence", 0, 2, 0);
	trans[1][91]	= settr(121,0,162,46,46,"ok = 1", 0, 2, 0);
	T = trans[1][162] = settr(192,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(192,0,92,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(192,0,111,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(192,0,158,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(192,0,161,0,0,"IF", 0, 2, 0);
	trans[1][92]	= settr(122,0,110,47,0,"(((me==1)&&(mode==1)))", 1, 2, 0);
	T = trans[ 1][110] = settr(140,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(140,0,93,0,0,"sub-sequence", 0, 2, 0);
	trans[1][93]	= settr(123,0,101,48,48,"ok = 1", 0, 2, 0);
	T = trans[1][101] = settr(131,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(131,0,94,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(131,0,100,0,0,"IF", 0, 2, 0);
	trans[1][94]	= settr(124,0,99,49,0,"((own[e].produced==own[e].put_end))", 1, 2, 0);
	T = trans[ 1][99] = settr(129,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(129,0,98,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][98] = settr(128,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(128,2,95,0,0,"ATOMIC", 1, 2, 0);
	trans[1][95]	= settr(125,0,108,50,50,"own[e].put_end = (memory[(e^1)].done+2)", 1, 2, 0); /* m: 96 -> 0,108 */
	reached1[96] = 1;
	trans[1][96]	= settr(0,0,0,0,0,"own[e].short_of_room = (own[e].put_end==own[e].produced)",0,0,0);
	trans[1][97]	= settr(0,0,0,0,0,"ok = !(own[e].short_of_room)",0,0,0);
	trans[1][102]	= settr(132,0,108,1,0,".(goto)", 0, 2, 0);
	trans[1][100]	= settr(130,0,108,2,0,"else", 0, 2, 0);
	T = trans[1][108] = settr(138,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(138,0,103,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(138,0,107,0,0,"IF", 0, 2, 0);
	trans[1][103]	= settr(133,0,106,51,0,"(ok)", 0, 2, 0);
	T = trans[ 1][106] = settr(136,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(136,2,104,0,0,"ATOMIC", 1, 3, 0);
	trans[1][104]	= settr(134,2,105,52,52,"own[e].produced = (own[e].produced+1)", 1, 3, 0);
	trans[1][105]	= settr(135,0,171,53,53,"buffer[me]!e,ENTRY,own[e].produced", 1, 3, 0);
	trans[1][109]	= settr(139,0,171,1,0,".(goto)", 0, 2, 0);
	trans[1][107]	= settr(137,0,171,2,0,"else", 0, 2, 0);
	trans[1][163]	= settr(193,0,171,1,0,".(goto)", 0, 2, 0);
	trans[1][111]	= settr(141,0,116,54,0,"(((me==1)&&(mode==2)))", 1, 2, 0);
	T = trans[ 1][116] = settr(146,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(146,0,115,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][115] = settr(145,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(145,2,112,0,0,"ATOMIC", 1, 2, 0);
	trans[1][112]	= settr(142,4,117,55,55,"own[e].put_end = (memory[(e^1)].done+2)", 1, 2, 0); /* m: 113 -> 0,117 */
	reached1[113] = 1;
	trans[1][113]	= settr(0,0,0,0,0,"own[e].short_of_room = (own[e].put_end==own[e].produced)",0,0,0);
	trans[1][114]	= settr(0,0,0,0,0,"ok = !(own[e].short_of_room)",0,0,0);
	trans[1][117]	= settr(147,0,156,56,56,"ok = ((own[e].put_end-own[e].produced)>=2)", 1, 2, 0);
	T = trans[1][156] = settr(186,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(186,0,118,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(186,0,155,0,0,"IF", 0, 2, 0);
	trans[1][118]	= settr(148,0,136,57,57,"(ok)", 0, 2, 0);
	T = trans[ 1][136] = settr(166,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(166,0,119,0,0,"sub-sequence", 0, 2, 0);
	trans[1][119]	= settr(149,0,127,58,58,"ok = 1", 0, 2, 0);
	T = trans[1][127] = settr(157,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(157,0,120,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(157,0,126,0,0,"IF", 0, 2, 0);
	trans[1][120]	= settr(150,0,125,59,0,"((own[e].produced==own[e].put_end))", 1, 2, 0);
	T = trans[ 1][125] = settr(155,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(155,0,124,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][124] = settr(154,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(154,2,121,0,0,"ATOMIC", 1, 2, 0);
	trans[1][121]	= settr(151,0,134,60,60,"own[e].put_end = (memory[(e^1)].done+2)", 1, 2, 0); /* m: 122 -> 0,134 */
	reached1[122] = 1;
	trans[1][122]	= settr(0,0,0,0,0,"own[e].short_of_room = (own[e].put_end==own[e].produced)",0,0,0);
	trans[1][123]	= settr(0,0,0,0,0,"ok = !(own[e].short_of_room)",0,0,0);
	trans[1][128]	= settr(158,0,134,1,0,".(goto)", 0, 2, 0);
	trans[1][126]	= settr(156,0,134,2,0,"else", 0, 2, 0);
	T = trans[1][134] = settr(164,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(164,0,129,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(164,0,133,0,0,"IF", 0, 2, 0);
	trans[1][129]	= settr(159,0,132,61,61,"(ok)", 0, 2, 0);
	T = trans[ 1][132] = settr(162,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(162,2,130,0,0,"ATOMIC", 1, 3, 0);
	trans[1][130]	= settr(160,2,131,62,62,"own[e].produced = (own[e].produced+1)", 1, 3, 0);
	trans[1][131]	= settr(161,0,154,63,63,"buffer[me]!e,ENTRY,own[e].produced", 1, 3, 0);
	trans[1][135]	= settr(165,0,154,1,0,".(goto)", 0, 2, 0);
	trans[1][133]	= settr(163,0,154,2,0,"else", 0, 2, 0);
	T = trans[ 1][154] = settr(184,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(184,0,137,0,0,"sub-sequence", 0, 2, 0);
	trans[1][137]	= settr(167,0,145,64,64,"ok = 1", 0, 2, 0);
	T = trans[1][145] = settr(175,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(175,0,138,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(175,0,144,0,0,"IF", 0, 2, 0);
	trans[1][138]	= settr(168,0,143,65,0,"((own[e].produced==own[e].put_end))", 1, 2, 0);
	T = trans[ 1][143] = settr(173,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(173,0,142,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][142] = settr(172,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(172,2,139,0,0,"ATOMIC", 1, 2, 0);
	trans[1][139]	= settr(169,0,152,66,66,"own[e].put_end = (memory[(e^1)].done+2)", 1, 2, 0); /* m: 140 -> 0,152 */
	reached1[140] = 1;
	trans[1][140]	= settr(0,0,0,0,0,"own[e].short_of_room = (own[e].put_end==own[e].produced)",0,0,0);
	trans[1][141]	= settr(0,0,0,0,0,"ok = !(own[e].short_of_room)",0,0,0);
	trans[1][146]	= settr(176,0,152,1,0,".(goto)", 0, 2, 0);
	trans[1][144]	= settr(174,0,152,2,0,"else", 0, 2, 0);
	T = trans[1][152] = settr(182,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(182,0,147,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(182,0,151,0,0,"IF", 0, 2, 0);
	trans[1][147]	= settr(177,0,150,67,0,"(ok)", 0, 2, 0);
	T = trans[ 1][150] = settr(180,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(180,2,148,0,0,"ATOMIC", 1, 3, 0);
	trans[1][148]	= settr(178,2,149,68,68,"own[e].produced = (own[e].produced+1)", 1, 3, 0);
	trans[1][149]	= settr(179,0,171,69,69,"buffer[me]!e,ENTRY,own[e].produced", 1, 3, 0);
	trans[1][153]	= settr(183,0,171,1,0,".(goto)", 0, 2, 0);
	trans[1][151]	= settr(181,0,171,2,0,"else", 0, 2, 0);
	trans[1][157]	= settr(187,0,171,1,0,".(goto)", 0, 2, 0);
	trans[1][155]	= settr(185,0,171,2,0,"else", 0, 2, 0);
	trans[1][158]	= settr(188,0,159,70,0,"(((me==1)&&(mode==3)))", 1, 2, 0);
	trans[1][159]	= settr(189,0,171,71,71,"ok = !(held)", 0, 2, 0); /* m: 160 -> 0,171 */
	reached1[160] = 1;
	trans[1][160]	= settr(0,0,0,0,0,"held = 1",0,0,0);
	trans[1][161]	= settr(191,0,171,2,0,"else", 0, 2, 0);
	T = trans[ 1][171] = settr(201,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(201,2,165,0,0,"ATOMIC", 1, 2, 0);
	trans[1][165]	= settr(195,2,169,72,72,"in_hand[e] = 0", 1, 2, 0);
	T = trans[1][169] = settr(199,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(199,2,166,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(199,2,168,0,0,"IF", 1, 2, 0);
	trans[1][166]	= settr(196,4,182,73,73,"((ok&&(handled[e]<own[e].taken)))", 1, 2, 0); /* m: 167 -> 182,0 */
	reached1[167] = 1;
	trans[1][167]	= settr(0,0,0,0,0,"handled[e] = own[e].taken",0,0,0);
	trans[1][170]	= settr(200,0,182,74,74,".(goto)", 1, 2, 0);
	trans[1][168]	= settr(198,2,170,2,0,"else", 1, 2, 0);
	T = trans[1][182] = settr(212,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(212,0,173,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(212,0,176,0,0,"IF", 0, 2, 0);
	trans[1][173]	= settr(203,0,186,75,75,"(ok)", 0, 2, 0); /* m: 174 -> 186,0 */
	reached1[174] = 1;
	trans[1][174]	= settr(0,0,0,0,0,"happened = 1",0,0,0);
	trans[1][175]	= settr(0,0,0,0,0,"count = (count-1)",0,0,0);
	trans[1][183]	= settr(213,0,186,1,0,".(goto)", 0, 2, 0);
	trans[1][176]	= settr(206,0,181,2,0,"else", 0, 2, 0);
	T = trans[ 1][181] = settr(211,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(211,2,177,0,0,"ATOMIC", 1, 2, 0);
	trans[1][177]	= settr(207,0,186,76,76,"own[e].taken = (own[e].taken-1)", 1, 2, 0); /* m: 178 -> 0,186 */
	reached1[178] = 1;
	trans[1][178]	= settr(0,0,0,0,0,"own[e].stalled = 1",0,0,0);
	trans[1][179]	= settr(0,0,0,0,0,"stalled = 1",0,0,0);
	trans[1][180]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[1][184]	= settr(214,0,190,2,0,"else", 0, 2, 0);
	trans[1][185]	= settr(215,0,190,1,0,"goto :b5", 0, 2, 0); /* m: 190 -> 0,193 */
	reached1[190] = 1;
	trans[1][188]	= settr(218,0,190,1,0,"break", 0, 2, 0);
	trans[1][190]	= settr(220,0,193,77,77,"e = (e+1)", 0, 2, 0);
	trans[1][191]	= settr(221,0,230,2,0,"else", 0, 2, 0);
	trans[1][192]	= settr(222,0,230,1,0,"goto :b4", 0, 2, 0);
	trans[1][195]	= settr(225,0,230,1,0,"break", 0, 2, 0);
	T = trans[1][230] = settr(260,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(260,0,196,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(260,0,229,0,0,"IF", 0, 2, 0);
	trans[1][196]	= settr(226,0,228,78,0,"(happened)", 0, 2, 0);
	T = trans[ 1][228] = settr(258,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(258,0,197,0,0,"sub-sequence", 0, 2, 0);
	trans[1][197]	= settr(227,0,225,79,79,"held = 0", 0, 2, 0);
	trans[1][226]	= settr(256,0,225,1,0,".(goto)", 0, 2, 0);
	T = trans[1][225] = settr(255,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(255,0,198,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(255,0,223,0,0,"DO", 0, 2, 0);
	trans[1][198]	= settr(228,0,216,80,0,"(((me==0)&&(sent<3)))", 1, 2, 0);
	T = trans[ 1][216] = settr(246,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(246,0,199,0,0,"sub-sequence", 0, 2, 0);
	trans[1][199]	= settr(229,0,207,81,81,"ok = 1", 0, 2, 0);
	T = trans[1][207] = settr(237,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(237,0,200,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(237,0,206,0,0,"IF", 0, 2, 0);
	trans[1][200]	= settr(230,0,205,82,0,"((own[0].produced==own[0].put_end))", 1, 2, 0);
	T = trans[ 1][205] = settr(235,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(235,0,204,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][204] = settr(234,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(234,2,201,0,0,"ATOMIC", 1, 2, 0);
	trans[1][201]	= settr(231,0,214,83,83,"own[0].put_end = (memory[(0^1)].done+2)", 1, 2, 0); /* m: 202 -> 0,214 */
	reached1[202] = 1;
	trans[1][202]	= settr(0,0,0,0,0,"own[0].short_of_room = (own[0].put_end==own[0].produced)",0,0,0);
	trans[1][203]	= settr(0,0,0,0,0,"ok = !(own[0].short_of_room)",0,0,0);
	trans[1][208]	= settr(238,0,214,1,0,".(goto)", 0, 2, 0);
	trans[1][206]	= settr(236,0,214,2,0,"else", 0, 2, 0);
	T = trans[1][214] = settr(244,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(244,0,209,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(244,0,213,0,0,"IF", 0, 2, 0);
	trans[1][209]	= settr(239,0,212,84,0,"(ok)", 0, 2, 0);
	T = trans[ 1][212] = settr(242,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(242,2,210,0,0,"ATOMIC", 1, 3, 0);
	trans[1][210]	= settr(240,2,211,85,85,"own[0].produced = (own[0].produced+1)", 1, 3, 0);
	trans[1][211]	= settr(241,0,221,86,86,"buffer[me]!0,ENTRY,own[0].produced", 1, 3, 0);
	trans[1][215]	= settr(245,0,221,1,0,".(goto)", 0, 2, 0);
	trans[1][213]	= settr(243,0,221,2,0,"else", 0, 2, 0);
	T = trans[1][221] = settr(251,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(251,0,217,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(251,0,219,0,0,"IF", 0, 2, 0);
	trans[1][217]	= settr(247,0,218,87,87,"(ok)", 0, 2, 0);
	trans[1][218]	= settr(248,0,225,88,88,"sent = (sent+1)", 1, 2, 0);
	trans[1][222]	= settr(252,0,225,1,0,".(goto)", 0, 2, 0);
	trans[1][219]	= settr(249,0,324,2,0,"else", 0, 2, 0);
	trans[1][220]	= settr(250,0,324,1,0,"goto :b6", 0, 2, 0);
	trans[1][223]	= settr(253,0,324,2,0,"else", 0, 2, 0);
	trans[1][224]	= settr(254,0,324,1,0,"goto :b6", 0, 2, 0);
	trans[1][227]	= settr(257,0,324,1,0,"break", 0, 2, 0);
	trans[1][231]	= settr(261,0,324,1,0,".(goto)", 0, 2, 0);
	trans[1][229]	= settr(259,0,324,2,0,"else", 0, 2, 0);
	T = trans[ 1][324] = settr(354,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(354,0,232,0,0,"sub-sequence", 0, 2, 0);
	trans[1][232]	= settr(262,0,246,89,89,"e = first", 0, 2, 0);
	trans[1][247]	= settr(277,0,246,1,0,".(goto)", 0, 2, 0);
	T = trans[1][246] = settr(276,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(276,0,233,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(276,0,244,0,0,"DO", 0, 2, 0);
	trans[1][233]	= settr(263,0,242,90,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][242] = settr(272,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(272,0,240,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][240] = settr(270,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(270,0,234,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(270,0,239,0,0,"IF", 0, 2, 0);
	trans[1][234]	= settr(264,0,238,91,0,"((own[e].my_produced!=own[e].produced))", 1, 2, 0);
	T = trans[ 1][238] = settr(268,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(268,2,235,0,0,"ATOMIC", 1, 3, 0);
	trans[1][235]	= settr(265,2,237,92,92,"own[e].my_produced = own[e].produced", 1, 3, 0); /* m: 236 -> 0,237 */
	reached1[236] = 1;
	trans[1][236]	= settr(0,0,0,0,0,"own[e].news_put = 1",0,0,0);
	trans[1][237]	= settr(267,0,246,93,93,"buffer[me]!e,PRODUCED,own[e].produced", 1, 3, 0); /* m: 243 -> 246,0 */
	reached1[243] = 1;
	trans[1][241]	= settr(271,0,243,1,0,".(goto)", 0, 2, 0); /* m: 243 -> 0,246 */
	reached1[243] = 1;
	trans[1][239]	= settr(269,0,243,2,0,"else", 0, 2, 0);
	trans[1][243]	= settr(273,0,246,94,94,"e = (e+1)", 0, 2, 0);
	trans[1][244]	= settr(274,0,249,2,0,"else", 0, 2, 0);
	trans[1][245]	= settr(275,0,249,1,0,"goto :b7", 0, 2, 0); /* m: 249 -> 0,263 */
	reached1[249] = 1;
	trans[1][248]	= settr(278,0,249,1,0,"break", 0, 2, 0);
	trans[1][249]	= settr(279,0,263,95,95,"e = first", 0, 2, 0);
	trans[1][264]	= settr(294,0,263,1,0,".(goto)", 0, 2, 0);
	T = trans[1][263] = settr(293,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(293,0,250,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(293,0,261,0,0,"DO", 0, 2, 0);
	trans[1][250]	= settr(280,0,259,96,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][259] = settr(289,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(289,0,257,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][257] = settr(287,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(287,0,251,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(287,0,256,0,0,"IF", 0, 2, 0);
	trans[1][251]	= settr(281,0,255,97,0,"((own[e].my_done!=own[e].taken))", 1, 2, 0);
	T = trans[ 1][255] = settr(285,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(285,2,252,0,0,"ATOMIC", 1, 3, 0);
	trans[1][252]	= settr(282,2,254,98,98,"own[e].my_done = own[e].taken", 1, 3, 0); /* m: 253 -> 0,254 */
	reached1[253] = 1;
	trans[1][253]	= settr(0,0,0,0,0,"own[e].news_taken = 1",0,0,0);
	trans[1][254]	= settr(284,0,263,99,99,"buffer[me]!e,DONE,own[e].taken", 1, 3, 0); /* m: 260 -> 263,0 */
	reached1[260] = 1;
	trans[1][258]	= settr(288,0,260,1,0,".(goto)", 0, 2, 0); /* m: 260 -> 0,263 */
	reached1[260] = 1;
	trans[1][256]	= settr(286,0,260,2,0,"else", 0, 2, 0);
	trans[1][260]	= settr(290,0,263,100,100,"e = (e+1)", 0, 2, 0);
	trans[1][261]	= settr(291,0,266,2,0,"else", 0, 2, 0);
	trans[1][262]	= settr(292,0,266,1,0,"goto :b8", 0, 2, 0);
	trans[1][265]	= settr(295,0,266,1,0,"break", 0, 2, 0);
	trans[1][266]	= settr(296,0,267,101,0,"(empty(buffer[me]))", 1, 1003, 0);
	trans[1][267]	= settr(297,0,321,102,102,"e = first", 0, 2, 0);
	trans[1][322]	= settr(352,0,321,1,0,".(goto)", 0, 2, 0);
	T = trans[1][321] = settr(351,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(351,0,268,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(351,0,319,0,0,"DO", 0, 2, 0);
	trans[1][268]	= settr(298,0,317,103,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][317] = settr(347,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(347,0,269,0,0,"sub-sequence", 0, 2, 0);
	trans[1][269]	= settr(299,0,284,104,104,"ok = 0", 0, 2, 0);
	T = trans[1][284] = settr(314,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(314,0,270,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(314,0,283,0,0,"IF", 0, 2, 0);
	trans[1][270]	= settr(300,0,282,105,0,"(own[e].news_put)", 1, 2, 0);
	T = trans[ 1][282] = settr(312,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(312,2,271,0,0,"ATOMIC", 1, 2, 0);
	trans[1][271]	= settr(301,2,278,106,106,"value = memory[(e^1)].sleeping", 1, 2, 0);
	T = trans[1][278] = settr(308,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(308,2,272,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(308,2,277,0,0,"IF", 1, 2, 0);
	trans[1][272]	= settr(302,0,299,107,107,"(((value&1)&&(value!=own[e].sleeping_rung)))", 1, 2, 0); /* m: 273 -> 299,0 */
	reached1[273] = 1;
	trans[1][273]	= settr(0,0,0,0,0,"own[e].sleeping_rung = value",0,0,0);
	trans[1][274]	= settr(0,0,0,0,0,"assert((rung_sleeping[(e^1)]!=value))",0,0,0);
	trans[1][275]	= settr(0,0,0,0,0,"rung_sleeping[(e^1)] = value",0,0,0);
	trans[1][276]	= settr(0,0,0,0,0,"ok = 1",0,0,0);
	trans[1][279]	= settr(309,2,280,1,0,".(goto)", 1, 2, 0); /* m: 280 -> 0,299 */
	reached1[280] = 1;
	trans[1][277]	= settr(307,2,280,2,0,"else", 1, 2, 0);
	trans[1][280]	= settr(310,0,299,108,108,"own[e].news_put = 0", 1, 2, 0); /* m: 281 -> 0,299 */
	reached1[281] = 1;
	trans[1][281]	= settr(0,0,0,0,0,"value = 0",0,0,0);
	trans[1][285]	= settr(315,0,299,1,0,".(goto)", 0, 2, 0);
	trans[1][283]	= settr(313,0,299,2,0,"else", 0, 2, 0);
	T = trans[1][299] = settr(329,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(329,0,286,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(329,0,298,0,0,"IF", 0, 2, 0);
	trans[1][286]	= settr(316,0,297,109,0,"(own[e].news_taken)", 1, 2, 0);
	T = trans[ 1][297] = settr(327,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(327,2,287,0,0,"ATOMIC", 1, 2, 0);
	trans[1][287]	= settr(317,2,294,110,110,"value = memory[(e^1)].want_room", 1, 2, 0);
	T = trans[1][294] = settr(324,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(324,2,288,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(324,2,293,0,0,"IF", 1, 2, 0);
	trans[1][288]	= settr(318,0,301,111,111,"(((value&1)&&(value!=own[e].want_room_rung)))", 1, 2, 0); /* m: 289 -> 301,0 */
	reached1[289] = 1;
	trans[1][289]	= settr(0,0,0,0,0,"own[e].want_room_rung = value",0,0,0);
	trans[1][290]	= settr(0,0,0,0,0,"assert((rung_want_room[(e^1)]!=value))",0,0,0);
	trans[1][291]	= settr(0,0,0,0,0,"rung_want_room[(e^1)] = value",0,0,0);
	trans[1][292]	= settr(0,0,0,0,0,"ok = 1",0,0,0);
	trans[1][295]	= settr(325,0,301,112,112,".(goto)", 1, 2, 0); /* m: 296 -> 0,301 */
	reached1[296] = 1;
	trans[1][293]	= settr(323,2,295,2,0,"else", 1, 2, 0);
	trans[1][296]	= settr(0,0,0,0,0,"value = 0",0,0,0);
	trans[1][300]	= settr(330,0,301,1,0,".(goto)", 0, 2, 0);
	trans[1][298]	= settr(328,0,301,2,0,"else", 0, 2, 0);
	trans[1][301]	= settr(331,0,315,113,113,"own[e].news_taken = 0", 1, 2, 0);
	T = trans[1][315] = settr(345,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(345,0,302,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(345,0,314,0,0,"IF", 0, 2, 0);
	trans[1][302]	= settr(332,0,312,114,114,"(ok)", 0, 2, 0);
	T = trans[ 1][312] = settr(342,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(342,0,310,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][310] = settr(340,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(340,0,303,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(340,0,309,0,0,"IF", 0, 2, 0);
	trans[1][303]	= settr(333,0,307,115,0,"(owed)", 0, 2, 0);
	T = trans[ 1][307] = settr(337,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(337,0,306,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][306] = settr(336,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(336,2,304,0,0,"ATOMIC", 1, 1003, 0);
	trans[1][304]	= settr(334,0,321,116,116,"(empty(buffer[me]))", 1, 1003, 0); /* m: 305 -> 321,0 */
	reached1[305] = 1;
	trans[1][305]	= settr(0,0,0,0,0,"pending[(owed-1)] = 1",0,0,0);
	trans[1][308]	= settr(0,0,0,0,0,"owed = 0",0,0,0);
	trans[1][311]	= settr(341,0,313,1,0,".(goto)", 0, 2, 0); /* m: 313 -> 0,321 */
	reached1[313] = 1;
	trans[1][309]	= settr(339,0,313,2,0,"else", 0, 2, 0);
	trans[1][313]	= settr(343,0,321,117,117,"owed = (1+(e^1))", 0, 2, 0); /* m: 318 -> 0,321 */
	reached1[318] = 1;
	trans[1][316]	= settr(346,0,318,1,0,".(goto)", 0, 2, 0); /* m: 318 -> 0,321 */
	reached1[318] = 1;
	trans[1][314]	= settr(344,0,318,2,0,"else", 0, 2, 0);
	trans[1][318]	= settr(348,0,321,118,118,"e = (e+1)", 0, 2, 0);
	trans[1][319]	= settr(349,0,328,2,0,"else", 0, 2, 0);
	trans[1][320]	= settr(350,0,328,1,0,"goto :b9", 0, 2, 0);
	trans[1][323]	= settr(353,0,328,1,0,"break", 0, 2, 0);
	T = trans[ 1][328] = settr(358,2,0,0,0,"ATOMIC", 0, 2, 0);
	T->nxt	= settr(358,2,325,0,0,"ATOMIC", 0, 2, 0);
	trans[1][325]	= settr(355,4,429,119,119,"ok = (!(stalled)||(retry&&!(happened)))", 0, 2, 0); /* m: 326 -> 0,429 */
	reached1[326] = 1;
	trans[1][326]	= settr(0,0,0,0,0,"happened = 0",0,0,0);
	trans[1][327]	= settr(0,0,0,0,0,"retry = 0",0,0,0);
	T = trans[1][429] = settr(459,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(459,0,329,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(459,0,428,0,0,"IF", 0, 2, 0);
	trans[1][329]	= settr(359,0,381,120,120,"(ok)", 0, 2, 0);
	T = trans[ 1][381] = settr(411,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(411,0,330,0,0,"sub-sequence", 0, 2, 0);
	trans[1][330]	= settr(360,0,350,121,121,"e = first", 0, 2, 0);
	trans[1][351]	= settr(381,0,350,1,0,".(goto)", 0, 2, 0);
	T = trans[1][350] = settr(380,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(380,0,331,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(380,0,348,0,0,"DO", 0, 2, 0);
	trans[1][331]	= settr(361,0,346,122,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][346] = settr(376,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(376,0,337,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][337] = settr(367,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(367,0,332,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(367,0,336,0,0,"IF", 0, 2, 0);
	trans[1][332]	= settr(362,0,335,123,0,"(!(own[e].stalled))", 1, 2, 0);
	T = trans[ 1][335] = settr(365,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(365,2,333,0,0,"ATOMIC", 1, 3, 0);
	trans[1][333]	= settr(363,2,334,124,124,"own[e].my_sleeping = (own[e].my_sleeping+1)", 1, 3, 0);
	trans[1][334]	= settr(364,0,344,125,125,"buffer[me]!e,SLEEPING,own[e].my_sleeping", 1, 3, 0);
	trans[1][338]	= settr(368,0,344,1,0,".(goto)", 0, 2, 0);
	trans[1][336]	= settr(366,0,344,2,0,"else", 0, 2, 0);
	T = trans[1][344] = settr(374,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(374,0,339,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(374,0,343,0,0,"IF", 0, 2, 0);
	trans[1][339]	= settr(369,0,342,126,0,"((stalled||own[e].short_of_room))", 1, 2, 0);
	T = trans[ 1][342] = settr(372,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(372,2,340,0,0,"ATOMIC", 1, 3, 0);
	trans[1][340]	= settr(370,2,341,127,127,"own[e].my_want_room = (own[e].my_want_room+1)", 1, 3, 0);
	trans[1][341]	= settr(371,0,350,128,128,"buffer[me]!e,WANT_ROOM,own[e].my_want_room", 1, 3, 0); /* m: 347 -> 350,0 */
	reached1[347] = 1;
	trans[1][345]	= settr(375,0,347,1,0,".(goto)", 0, 2, 0); /* m: 347 -> 0,350 */
	reached1[347] = 1;
	trans[1][343]	= settr(373,0,347,2,0,"else", 0, 2, 0);
	trans[1][347]	= settr(377,0,350,129,129,"e = (e+1)", 0, 2, 0);
	trans[1][348]	= settr(378,0,353,2,0,"else", 0, 2, 0);
	trans[1][349]	= settr(379,0,353,1,0,"goto :b10", 0, 2, 0);
	trans[1][352]	= settr(382,0,353,1,0,"break", 0, 2, 0);
	trans[1][353]	= settr(383,0,354,130,0,"(empty(buffer[me]))", 1, 1003, 0);
	trans[1][354]	= settr(384,0,376,131,131,"changed = 0", 0, 2, 0); /* m: 355 -> 0,376 */
	reached1[355] = 1;
	trans[1][355]	= settr(0,0,0,0,0,"e = first",0,0,0);
	trans[1][377]	= settr(407,0,376,1,0,".(goto)", 0, 2, 0);
	T = trans[1][376] = settr(406,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(406,0,356,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(406,0,374,0,0,"DO", 0, 2, 0);
	trans[1][356]	= settr(386,0,372,132,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][372] = settr(402,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(402,0,360,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][360] = settr(390,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(390,0,357,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(390,0,359,0,0,"IF", 0, 2, 0);
	trans[1][357]	= settr(387,0,358,133,0,"(!(own[e].stalled))", 1, 2, 0);
	trans[1][358]	= settr(388,0,365,134,134,"changed = (changed||(memory[(e^1)].produced!=own[e].taken))", 1, 2, 0);
	trans[1][361]	= settr(391,0,365,1,0,".(goto)", 0, 2, 0);
	trans[1][359]	= settr(389,0,365,2,0,"else", 0, 2, 0);
	T = trans[1][365] = settr(395,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(395,0,362,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(395,0,364,0,0,"IF", 0, 2, 0);
	trans[1][362]	= settr(392,0,363,135,0,"(stalled)", 0, 2, 0);
	trans[1][363]	= settr(393,0,370,136,136,"changed = (changed||(memory[(e^1)].done!=own[e].done_noted))", 1, 2, 0);
	trans[1][366]	= settr(396,0,370,1,0,".(goto)", 0, 2, 0);
	trans[1][364]	= settr(394,0,370,2,0,"else", 0, 2, 0);
	T = trans[1][370] = settr(400,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(400,0,367,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(400,0,369,0,0,"IF", 0, 2, 0);
	trans[1][367]	= settr(397,0,368,137,0,"(own[e].short_of_room)", 1, 2, 0);
	trans[1][368]	= settr(398,0,373,138,138,"changed = (changed||(memory[(e^1)].done!=(own[e].put_end-2)))", 1, 2, 0);
	trans[1][371]	= settr(401,0,373,1,0,".(goto)", 0, 2, 0); /* m: 373 -> 0,376 */
	reached1[373] = 1;
	trans[1][369]	= settr(399,0,373,2,0,"else", 0, 2, 0);
	trans[1][373]	= settr(403,0,376,139,139,"e = (e+1)", 0, 2, 0);
	trans[1][374]	= settr(404,0,379,2,0,"else", 0, 2, 0);
	trans[1][375]	= settr(405,0,379,1,0,"goto :b11", 0, 2, 0); /* m: 379 -> 0,403 */
	reached1[379] = 1;
	trans[1][378]	= settr(408,0,379,1,0,"break", 0, 2, 0);
	trans[1][379]	= settr(409,0,403,140,140,"ok = !(changed)", 0, 2, 0); /* m: 380 -> 0,403 */
	reached1[380] = 1;
	trans[1][380]	= settr(0,0,0,0,0,"changed = 0",0,0,0);
	T = trans[1][403] = settr(433,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(433,0,382,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(433,0,402,0,0,"IF", 0, 2, 0);
	trans[1][382]	= settr(412,0,401,141,141,"(ok)", 0, 2, 0);
	T = trans[ 1][401] = settr(431,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(431,0,392,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][392] = settr(422,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(422,0,390,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][390] = settr(420,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(420,0,383,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(420,0,389,0,0,"IF", 0, 2, 0);
	trans[1][383]	= settr(413,0,387,142,0,"(owed)", 0, 2, 0);
	T = trans[ 1][387] = settr(417,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(417,0,386,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][386] = settr(416,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(416,2,384,0,0,"ATOMIC", 1, 1003, 0);
	trans[1][384]	= settr(414,0,396,143,143,"(empty(buffer[me]))", 1, 1003, 0); /* m: 385 -> 396,0 */
	reached1[385] = 1;
	trans[1][385]	= settr(0,0,0,0,0,"pending[(owed-1)] = 1",0,0,0);
	trans[1][388]	= settr(0,0,0,0,0,"owed = 0",0,0,0);
	trans[1][391]	= settr(421,0,393,1,0,".(goto)", 0, 2, 0); /* m: 393 -> 0,396 */
	reached1[393] = 1;
	trans[1][389]	= settr(419,0,393,2,0,"else", 0, 2, 0);
	trans[1][393]	= settr(423,0,396,144,144,"owed = 0", 0, 2, 0);
	T = trans[ 1][396] = settr(426,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(426,2,394,0,0,"ATOMIC", 1, 1003, 0);
	trans[1][394]	= settr(424,4,400,145,145,"(empty(buffer[me]))", 1, 1003, 0); /* m: 395 -> 400,0 */
	reached1[395] = 1;
	trans[1][395]	= settr(0,0,0,0,0,"waiting[me] = 1",0,0,0);
	T = trans[ 1][400] = settr(430,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(430,2,397,0,0,"ATOMIC", 1, 2, 0);
	trans[1][397]	= settr(427,0,425,146,146,"(pending[me])", 1, 2, 0); /* m: 398 -> 425,0 */
	reached1[398] = 1;
	trans[1][398]	= settr(0,0,0,0,0,"pending[me] = 0",0,0,0);
	trans[1][399]	= settr(0,0,0,0,0,"waiting[me] = 0",0,0,0);
	trans[1][404]	= settr(434,0,405,1,0,".(goto)", 0, 2, 0); /* m: 405 -> 0,425 */
	reached1[405] = 1;
	trans[1][402]	= settr(432,0,405,2,0,"else", 0, 2, 0);
	trans[1][405]	= settr(435,0,425,147,147,"e = first", 0, 2, 0);
	trans[1][426]	= settr(456,0,425,1,0,".(goto)", 0, 2, 0);
	T = trans[1][425] = settr(455,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(455,0,406,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(455,0,423,0,0,"DO", 0, 2, 0);
	trans[1][406]	= settr(436,0,421,148,0,"((e<=last))", 0, 2, 0);
	T = trans[ 1][421] = settr(451,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(451,0,412,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][412] = settr(442,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(442,0,407,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(442,0,411,0,0,"IF", 0, 2, 0);
	trans[1][407]	= settr(437,0,410,149,0,"((own[e].my_sleeping&1))", 1, 2, 0);
	T = trans[ 1][410] = settr(440,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(440,2,408,0,0,"ATOMIC", 1, 3, 0);
	trans[1][408]	= settr(438,2,409,150,150,"own[e].my_sleeping = (own[e].my_sleeping+1)", 1, 3, 0);
	trans[1][409]	= settr(439,0,419,151,151,"buffer[me]!e,SLEEPING,own[e].my_sleeping", 1, 3, 0);
	trans[1][413]	= settr(443,0,419,1,0,".(goto)", 0, 2, 0);
	trans[1][411]	= settr(441,0,419,2,0,"else", 0, 2, 0);
	T = trans[1][419] = settr(449,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(449,0,414,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(449,0,418,0,0,"IF", 0, 2, 0);
	trans[1][414]	= settr(444,0,417,152,0,"((own[e].my_want_room&1))", 1, 2, 0);
	T = trans[ 1][417] = settr(447,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(447,2,415,0,0,"ATOMIC", 1, 3, 0);
	trans[1][415]	= settr(445,2,416,153,153,"own[e].my_want_room = (own[e].my_want_room+1)", 1, 3, 0);
	trans[1][416]	= settr(446,0,425,154,154,"buffer[me]!e,WANT_ROOM,own[e].my_want_room", 1, 3, 0); /* m: 422 -> 425,0 */
	reached1[422] = 1;
	trans[1][420]	= settr(450,0,422,1,0,".(goto)", 0, 2, 0); /* m: 422 -> 0,425 */
	reached1[422] = 1;
	trans[1][418]	= settr(448,0,422,2,0,"else", 0, 2, 0);
	trans[1][422]	= settr(452,0,425,155,155,"e = (e+1)", 0, 2, 0);
	trans[1][423]	= settr(453,0,431,2,0,"else", 0, 2, 0);
	trans[1][424]	= settr(454,0,431,1,0,"goto :b12", 0, 2, 0); /* m: 431 -> 0,441 */
	reached1[431] = 1;
	trans[1][427]	= settr(457,0,431,1,0,"break", 0, 2, 0);
	trans[1][430]	= settr(460,0,431,1,0,".(goto)", 0, 2, 0); /* m: 431 -> 0,441 */
	reached1[431] = 1;
	trans[1][428]	= settr(458,0,431,2,0,"else", 0, 2, 0);
	trans[1][431]	= settr(461,0,441,156,156,"ok = 0", 0, 2, 0);
	T = trans[ 1][441] = settr(471,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(471,0,439,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][439] = settr(469,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(469,0,432,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(469,0,438,0,0,"IF", 0, 2, 0);
	trans[1][432]	= settr(462,0,436,157,0,"(owed)", 0, 2, 0);
	T = trans[ 1][436] = settr(466,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(466,0,435,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][435] = settr(465,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(465,2,433,0,0,"ATOMIC", 1, 1003, 0);
	trans[1][433]	= settr(463,0,446,158,158,"(empty(buffer[me]))", 1, 1003, 0); /* m: 434 -> 446,0 */
	reached1[434] = 1;
	trans[1][434]	= settr(0,0,0,0,0,"pending[(owed-1)] = 1",0,0,0);
	trans[1][437]	= settr(0,0,0,0,0,"owed = 0",0,0,0);
	trans[1][440]	= settr(470,0,442,1,0,".(goto)", 0, 2, 0); /* m: 442 -> 0,446 */
	reached1[442] = 1;
	trans[1][438]	= settr(468,0,442,2,0,"else", 0, 2, 0);
	trans[1][442]	= settr(472,0,446,159,159,"owed = 0", 0, 2, 0);
	T = trans[1][446] = settr(476,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(476,0,443,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(476,0,445,0,0,"IF", 0, 2, 0);
	trans[1][443]	= settr(473,0,444,160,0,"(pending[me])", 1, 2, 0);
	trans[1][444]	= settr(474,0,451,161,161,"pending[me] = 0", 1, 2, 0);
	trans[1][447]	= settr(477,0,451,1,0,".(goto)", 0, 2, 0);
	trans[1][445]	= settr(475,0,451,1,0,"(1)", 0, 2, 0);
	trans[1][449]	= settr(0,0,0,0,0,"(0)",0,0,0);
	trans[1][450]	= settr(480,0,455,1,0,"goto :b2", 0, 2, 0);
	trans[1][453]	= settr(483,0,455,1,0,"break", 0, 2, 0);
	trans[1][455]	= settr(485,0,0,162,162,"-end-", 0, 3500, 0);

	/* proctype 0: store_buffer */

	trans[0] = (Trans **) emalloc(32*sizeof(Trans *));

	trans[0][29]	= settr(28,0,28,1,0,".(goto)", 0, 2, 0);
	T = trans[0][28] = settr(27,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(27,0,27,0,0,"DO", 0, 2, 0);
/*->*/	trans[0][27]	= settr(26,32,28,163,163,"D_STEP129", 1, 503, 0);
	trans[0][30]	= settr(29,0,31,1,0,"break", 0, 2, 0);
	trans[0][31]	= settr(30,0,0,164,164,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
