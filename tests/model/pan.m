#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - channel.pml:667 - [mode = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[2][1] = 1;
		(trpt+1)->bup.oval = ((int)now.mode);
		now.mode = 1;
#ifdef VAR_RANGES
		logval("mode", ((int)now.mode));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 4: // STATE 2 - channel.pml:668 - [mode = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[2][2] = 1;
		(trpt+1)->bup.oval = ((int)now.mode);
		now.mode = 2;
#ifdef VAR_RANGES
		logval("mode", ((int)now.mode));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 5: // STATE 3 - channel.pml:669 - [mode = 3] (0:0:1 - 1)
		IfNotBlocked
		reached[2][3] = 1;
		(trpt+1)->bup.oval = ((int)now.mode);
		now.mode = 3;
#ifdef VAR_RANGES
		logval("mode", ((int)now.mode));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 6: // STATE 6 - channel.pml:672 - [batch = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[2][6] = 1;
		(trpt+1)->bup.oval = ((int)now.batch);
		now.batch = 1;
#ifdef VAR_RANGES
		logval("batch", ((int)now.batch));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 7 - channel.pml:672 - [batch = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[2][7] = 1;
		(trpt+1)->bup.oval = ((int)now.batch);
		now.batch = 2;
#ifdef VAR_RANGES
		logval("batch", ((int)now.batch));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 8: // STATE 10 - channel.pml:673 - [(run store_buffer(0))] (0:0:0 - 3)
		IfNotBlocked
		reached[2][10] = 1;
		if (!(addproc(II, 1, 0, 0, 0, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 9: // STATE 11 - channel.pml:674 - [(run store_buffer(1))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][11] = 1;
		if (!(addproc(II, 1, 0, 1, 0, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 10: // STATE 12 - channel.pml:675 - [life[1] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[2][12] = 1;
		(trpt+1)->bup.oval = ((int)life[1]);
		life[1] = 1;
#ifdef VAR_RANGES
		logval("life[1]", ((int)life[1]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 11: // STATE 13 - channel.pml:682 - [(run domain(0,0,0))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][13] = 1;
		if (!(addproc(II, 1, 1, 0, 0, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 12: // STATE 14 - channel.pml:683 - [(run domain(1,1,1))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][14] = 1;
		if (!(addproc(II, 1, 1, 1, 1, 1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 13: // STATE 16 - channel.pml:688 - [(timeout)] (0:0:0 - 1)
		IfNotBlocked
		reached[2][16] = 1;
		if (!(((trpt->tau)&1)))
			continue;
		_m = 1; goto P999; /* 0 */
	case 14: // STATE 17 - channel.pml:689 - [assert((sent==3))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][17] = 1;
		spin_assert((((int)now.sent)==3), "(sent==3)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 15: // STATE 18 - channel.pml:690 - [assert((handled[1]==3))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][18] = 1;
		spin_assert((((int)now.handled[1])==3), "(handled[1]==3)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 16: // STATE 19 - channel.pml:694 - [assert(((mode==3)||(handled[0]==(3*( ((mode==2)) -> (2) : (1) )))))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][19] = 1;
		spin_assert(((((int)now.mode)==3)||(((int)now.handled[0])==(3*( ((((int)now.mode)==2)) ? (2) : (1) )))), "((mode==3)||(handled[0]==(3*( ((mode==2)) ? (2) : (1) ))))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 17: // STATE 20 - channel.pml:696 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[2][20] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC domain */
	case 18: // STATE 1 - channel.pml:651 - [e = first] (0:0:1 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 19: // STATE 2 - channel.pml:651 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][2] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 20: // STATE 19 - channel.pml:613 - [D_STEP613]
		IfNotBlocked

		reached[1][19] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_033_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].produced);
#ifdef VAR_RANGES
		logval("own[domain:e].produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#endif
		;
S_034_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].produced);
#ifdef VAR_RANGES
		logval("own[domain:e].put_end", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end));
#endif
		;
S_035_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].taken = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].done);
#ifdef VAR_RANGES
		logval("own[domain:e].taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken));
#endif
		;
S_036_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].my_produced = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].produced);
#ifdef VAR_RANGES
		logval("own[domain:e].my_produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_produced));
#endif
		;
S_037_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].my_done = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].done);
#ifdef VAR_RANGES
		logval("own[domain:e].my_done", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_done));
#endif
		;
S_038_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].sleeping);
#ifdef VAR_RANGES
		logval("own[domain:e].my_sleeping", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping));
#endif
		;
S_039_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = ((int)now.memory[ Index(((int)((P1 *)_this)->e), 2) ].want_room);
#ifdef VAR_RANGES
		logval("own[domain:e].my_want_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room));
#endif
		;
S_040_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].done_noted = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].done_noted", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].done_noted));
#endif
		;
S_041_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].news_put", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put));
#endif
		;
S_042_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].news_taken = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].news_taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken));
#endif
		;
S_043_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].stalled = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].stalled", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled));
#endif
		;
S_044_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
S_045_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].sleeping_rung = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].sleeping_rung", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].sleeping_rung));
#endif
		;
S_046_0: /* 2 */
		now.own[ Index(((P1 *)_this)->e, 2) ].want_room_rung = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].want_room_rung", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].want_room_rung));
#endif
		;
S_047_0: /* 2 */
		now.rung_sleeping[ Index((((P1 *)_this)->e^1), 2) ] = 0;
#ifdef VAR_RANGES
		logval("rung_sleeping[(domain:e^1)]", ((int)now.rung_sleeping[ Index((((int)((P1 *)_this)->e)^1), 2) ]));
#endif
		;
S_048_0: /* 2 */
		now.rung_want_room[ Index((((P1 *)_this)->e^1), 2) ] = 0;
#ifdef VAR_RANGES
		logval("rung_want_room[(domain:e^1)]", ((int)now.rung_want_room[ Index((((int)((P1 *)_this)->e)^1), 2) ]));
#endif
		;
		goto S_064_0;
S_064_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 21: // STATE 20 - channel.pml:512 - [((own[e].my_sleeping&1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][20] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)&1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 22: // STATE 21 - channel.pml:514 - [own[e].my_sleeping = (own[e].my_sleeping+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][21] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_sleeping", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 23: // STATE 22 - channel.pml:515 - [buffer[me]!e,SLEEPING,own[e].my_sleeping] (0:0:0 - 1)
		IfNotBlocked
		reached[1][22] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 4); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 4, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping), 3);
		_m = 2; goto P999; /* 0 */
	case 24: // STATE 27 - channel.pml:520 - [((own[e].my_want_room&1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][27] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)&1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 25: // STATE 28 - channel.pml:522 - [own[e].my_want_room = (own[e].my_want_room+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][28] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_want_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 26: // STATE 29 - channel.pml:523 - [buffer[me]!e,WANT_ROOM,own[e].my_want_room] (39:0:1 - 1)
		IfNotBlocked
		reached[1][29] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 3); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 3, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room), 3);
		/* merge: .(goto)(39, 33, 39) */
		reached[1][33] = 1;
		;
		/* merge: e = (e+1)(39, 36, 39) */
		reached[1][36] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 40, 39) */
		reached[1][40] = 1;
		;
		_m = 2; goto P999; /* 3 */
	case 27: // STATE 36 - channel.pml:651 - [e = (e+1)] (0:39:1 - 3)
		IfNotBlocked
		reached[1][36] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 40, 39) */
		reached[1][40] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 28: // STATE 42 - channel.pml:652 - [happened = 1] (0:451:1 - 3)
		IfNotBlocked
		reached[1][42] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->happened);
		((P1 *)_this)->happened = 1;
#ifdef VAR_RANGES
		logval("domain:happened", ((int)((P1 *)_this)->happened));
#endif
		;
		/* merge: .(goto)(0, 452, 451) */
		reached[1][452] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 29: // STATE 43 - channel.pml:563 - [retry = stalled] (0:56:2 - 1)
		IfNotBlocked
		reached[1][43] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->retry);
		((P1 *)_this)->retry = ((int)((P1 *)_this)->stalled);
#ifdef VAR_RANGES
		logval("domain:retry", ((int)((P1 *)_this)->retry));
#endif
		;
		/* merge: stalled = 0(56, 44, 56) */
		reached[1][44] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->stalled);
		((P1 *)_this)->stalled = 0;
#ifdef VAR_RANGES
		logval("domain:stalled", ((int)((P1 *)_this)->stalled));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 30: // STATE 45 - channel.pml:567 - [(retry)] (52:0:1 - 1)
		IfNotBlocked
		reached[1][45] = 1;
		if (!(((int)((P1 *)_this)->retry)))
			continue;
		/* merge: e = first(0, 46, 52) */
		reached[1][46] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 53, 52) */
		reached[1][53] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 31: // STATE 47 - channel.pml:568 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][47] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 32: // STATE 48 - channel.pml:568 - [own[e].done_noted = memory[(e^1)].done] (0:0:1 - 1)
		IfNotBlocked
		reached[1][48] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].done_noted);
		now.own[ Index(((P1 *)_this)->e, 2) ].done_noted = ((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done);
#ifdef VAR_RANGES
		logval("own[domain:e].done_noted", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].done_noted));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 33: // STATE 49 - channel.pml:568 - [e = (e+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][49] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 34: // STATE 58 - channel.pml:572 - [e = first] (0:193:1 - 5)
		IfNotBlocked
		reached[1][58] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 194, 193) */
		reached[1][194] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 35: // STATE 59 - channel.pml:572 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][59] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 36: // STATE 60 - channel.pml:281 - [own[e].stalled = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][60] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled);
		now.own[ Index(((P1 *)_this)->e, 2) ].stalled = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].stalled", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 37: // STATE 61 - channel.pml:283 - [(own[e].short_of_room)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][61] = 1;
		if (!(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 38: // STATE 62 - channel.pml:286 - [((memory[(e^1)].done!=(own[e].put_end-2)))] (79:0:2 - 1)
		IfNotBlocked
		reached[1][62] = 1;
		if (!((((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)!=(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)-2))))
			continue;
		/* merge: own[e].short_of_room = 0(79, 63, 79) */
		reached[1][63] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
		/* merge: happened = 1(79, 64, 79) */
		reached[1][64] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->happened);
		((P1 *)_this)->happened = 1;
#ifdef VAR_RANGES
		logval("domain:happened", ((int)((P1 *)_this)->happened));
#endif
		;
		/* merge: .(goto)(79, 67, 79) */
		reached[1][67] = 1;
		;
		/* merge: .(goto)(0, 71, 79) */
		reached[1][71] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 39: // STATE 67 - channel.pml:293 - [.(goto)] (0:79:0 - 2)
		IfNotBlocked
		reached[1][67] = 1;
		;
		/* merge: .(goto)(0, 71, 79) */
		reached[1][71] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 40: // STATE 72 - channel.pml:300 - [count = (memory[(e^1)].produced-own[e].taken)] (0:77:1 - 1)
		IfNotBlocked
		reached[1][72] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->count);
		((P1 *)_this)->count = (((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].produced)-((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken));
#ifdef VAR_RANGES
		logval("domain:count", ((int)((P1 *)_this)->count));
#endif
		;
		/* merge: assert((count<=2))(77, 73, 77) */
		reached[1][73] = 1;
		spin_assert((((int)((P1 *)_this)->count)<=2), "(count<=2)", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 41: // STATE 74 - channel.pml:303 - [((count>batch))] (186:0:2 - 1)
		IfNotBlocked
		reached[1][74] = 1;
		if (!((((int)((P1 *)_this)->count)>((int)now.batch))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: count */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->count;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->count = 0;
		/* merge: count = batch(186, 75, 186) */
		reached[1][75] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->count);
		((P1 *)_this)->count = ((int)now.batch);
#ifdef VAR_RANGES
		logval("domain:count", ((int)((P1 *)_this)->count));
#endif
		;
		/* merge: .(goto)(186, 78, 186) */
		reached[1][78] = 1;
		;
		/* merge: .(goto)(0, 187, 186) */
		reached[1][187] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 42: // STATE 78 - channel.pml:306 - [.(goto)] (0:186:0 - 2)
		IfNotBlocked
		reached[1][78] = 1;
		;
		/* merge: .(goto)(0, 187, 186) */
		reached[1][187] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 43: // STATE 80 - channel.pml:308 - [((count>0))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][80] = 1;
		if (!((((int)((P1 *)_this)->count)>0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 44: // STATE 81 - channel.pml:234 - [value = memory[(e^1)].entry[(own[e].taken%2)]] (0:172:3 - 1)
		IfNotBlocked
		reached[1][81] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = ((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].entry[ Index((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)%2), 2) ]);
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		/* merge: own[e].taken = (own[e].taken+1)(172, 82, 172) */
		reached[1][82] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken);
		now.own[ Index(((P1 *)_this)->e, 2) ].taken = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken));
#endif
		;
		/* merge: assert((value==own[e].taken))(172, 83, 172) */
		reached[1][83] = 1;
		spin_assert((((int)((P1 *)_this)->value)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)), "(value==own[e].taken)", II, tt, t);
		/* merge: value = 0(172, 84, 172) */
		reached[1][84] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 45: // STATE 87 - channel.pml:259 - [in_hand[e] = own[e].taken] (0:164:1 - 1)
		IfNotBlocked
		reached[1][87] = 1;
		(trpt+1)->bup.oval = ((int)in_hand[ Index(((int)((P1 *)_this)->e), 2) ]);
		in_hand[ Index(((P1 *)_this)->e, 2) ] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken);
#ifdef VAR_RANGES
		logval("in_hand[domain:e]", ((int)in_hand[ Index(((int)((P1 *)_this)->e), 2) ]));
#endif
		;
		/* merge: assert((own[e].taken<=(handled[e]+1)))(164, 88, 164) */
		reached[1][88] = 1;
		spin_assert((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)<=(((int)now.handled[ Index(((int)((P1 *)_this)->e), 2) ])+1)), "(own[e].taken<=(handled[e]+1))", II, tt, t);
		/* merge: assert((own[e].taken==(handled[e]+1)))(164, 89, 164) */
		reached[1][89] = 1;
		spin_assert((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)==(((int)now.handled[ Index(((int)((P1 *)_this)->e), 2) ])+1)), "(own[e].taken==(handled[e]+1))", II, tt, t);
		_m = 3; goto P999; /* 2 */
	case 46: // STATE 91 - channel.pml:196 - [ok = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][91] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 47: // STATE 92 - channel.pml:198 - [(((me==1)&&(mode==1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][92] = 1;
		if (!(((((int)((P1 *)_this)->me)==1)&&(((int)now.mode)==1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 48: // STATE 93 - channel.pml:165 - [ok = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][93] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 49: // STATE 94 - channel.pml:167 - [((own[e].produced==own[e].put_end))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][94] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 50: // STATE 95 - channel.pml:153 - [own[e].put_end = (memory[(e^1)].done+2)] (0:108:3 - 1)
		IfNotBlocked
		reached[1][95] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end);
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = (((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)+2);
#ifdef VAR_RANGES
		logval("own[domain:e].put_end", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end));
#endif
		;
		/* merge: own[e].short_of_room = (own[e].put_end==own[e].produced)(108, 96, 108) */
		reached[1][96] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
		/* merge: ok = !(own[e].short_of_room)(108, 97, 108) */
		reached[1][97] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(0, 102, 108) */
		reached[1][102] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 51: // STATE 103 - channel.pml:171 - [(ok)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][103] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 52: // STATE 104 - channel.pml:173 - [own[e].produced = (own[e].produced+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][104] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced);
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 53: // STATE 105 - channel.pml:175 - [buffer[me]!e,ENTRY,own[e].produced] (0:0:0 - 1)
		IfNotBlocked
		reached[1][105] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 1); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 1, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced), 3);
		_m = 2; goto P999; /* 0 */
	case 54: // STATE 111 - channel.pml:199 - [(((me==1)&&(mode==2)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][111] = 1;
		if (!(((((int)((P1 *)_this)->me)==1)&&(((int)now.mode)==2))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 55: // STATE 112 - channel.pml:153 - [own[e].put_end = (memory[(e^1)].done+2)] (0:117:4 - 1)
		IfNotBlocked
		reached[1][112] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end);
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = (((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)+2);
#ifdef VAR_RANGES
		logval("own[domain:e].put_end", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end));
#endif
		;
		/* merge: own[e].short_of_room = (own[e].put_end==own[e].produced)(117, 113, 117) */
		reached[1][113] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
		/* merge: ok = !(own[e].short_of_room)(117, 114, 117) */
		reached[1][114] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: ok */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 2 */
	case 56: // STATE 117 - channel.pml:201 - [ok = ((own[e].put_end-own[e].produced)>=2)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][117] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = ((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)-((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced))>=2);
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 57: // STATE 118 - channel.pml:203 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][118] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 58: // STATE 119 - channel.pml:165 - [ok = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][119] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 59: // STATE 120 - channel.pml:167 - [((own[e].produced==own[e].put_end))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][120] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 60: // STATE 121 - channel.pml:153 - [own[e].put_end = (memory[(e^1)].done+2)] (0:134:3 - 1)
		IfNotBlocked
		reached[1][121] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end);
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = (((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)+2);
#ifdef VAR_RANGES
		logval("own[domain:e].put_end", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end));
#endif
		;
		/* merge: own[e].short_of_room = (own[e].put_end==own[e].produced)(134, 122, 134) */
		reached[1][122] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
		/* merge: ok = !(own[e].short_of_room)(134, 123, 134) */
		reached[1][123] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(0, 128, 134) */
		reached[1][128] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 61: // STATE 129 - channel.pml:171 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][129] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 62: // STATE 130 - channel.pml:173 - [own[e].produced = (own[e].produced+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][130] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced);
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 131 - channel.pml:175 - [buffer[me]!e,ENTRY,own[e].produced] (0:0:0 - 1)
		IfNotBlocked
		reached[1][131] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 1); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 1, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced), 3);
		_m = 2; goto P999; /* 0 */
	case 64: // STATE 137 - channel.pml:165 - [ok = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][137] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 65: // STATE 138 - channel.pml:167 - [((own[e].produced==own[e].put_end))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][138] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 66: // STATE 139 - channel.pml:153 - [own[e].put_end = (memory[(e^1)].done+2)] (0:152:3 - 1)
		IfNotBlocked
		reached[1][139] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end);
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = (((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)+2);
#ifdef VAR_RANGES
		logval("own[domain:e].put_end", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end));
#endif
		;
		/* merge: own[e].short_of_room = (own[e].put_end==own[e].produced)(152, 140, 152) */
		reached[1][140] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)==((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#ifdef VAR_RANGES
		logval("own[domain:e].short_of_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#endif
		;
		/* merge: ok = !(own[e].short_of_room)(152, 141, 152) */
		reached[1][141] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(0, 146, 152) */
		reached[1][146] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 67: // STATE 147 - channel.pml:171 - [(ok)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][147] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 68: // STATE 148 - channel.pml:173 - [own[e].produced = (own[e].produced+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][148] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced);
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 69: // STATE 149 - channel.pml:175 - [buffer[me]!e,ENTRY,own[e].produced] (0:0:0 - 1)
		IfNotBlocked
		reached[1][149] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 1); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 1, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced), 3);
		_m = 2; goto P999; /* 0 */
	case 70: // STATE 158 - channel.pml:206 - [(((me==1)&&(mode==3)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][158] = 1;
		if (!(((((int)((P1 *)_this)->me)==1)&&(((int)now.mode)==3))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 71: // STATE 159 - channel.pml:207 - [ok = !(held)] (0:171:2 - 1)
		IfNotBlocked
		reached[1][159] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)((P1 *)_this)->held));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: held = 1(171, 160, 171) */
		reached[1][160] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->held);
		((P1 *)_this)->held = 1;
#ifdef VAR_RANGES
		logval("domain:held", ((int)((P1 *)_this)->held));
#endif
		;
		/* merge: .(goto)(0, 163, 171) */
		reached[1][163] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 72: // STATE 165 - channel.pml:267 - [in_hand[e] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][165] = 1;
		(trpt+1)->bup.oval = ((int)in_hand[ Index(((int)((P1 *)_this)->e), 2) ]);
		in_hand[ Index(((P1 *)_this)->e, 2) ] = 0;
#ifdef VAR_RANGES
		logval("in_hand[domain:e]", ((int)in_hand[ Index(((int)((P1 *)_this)->e), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 73: // STATE 166 - channel.pml:269 - [((ok&&(handled[e]<own[e].taken)))] (182:0:1 - 1)
		IfNotBlocked
		reached[1][166] = 1;
		if (!((((int)((P1 *)_this)->ok)&&(((int)now.handled[ Index(((int)((P1 *)_this)->e), 2) ])<((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)))))
			continue;
		/* merge: handled[e] = own[e].taken(182, 167, 182) */
		reached[1][167] = 1;
		(trpt+1)->bup.oval = ((int)now.handled[ Index(((int)((P1 *)_this)->e), 2) ]);
		now.handled[ Index(((P1 *)_this)->e, 2) ] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken);
#ifdef VAR_RANGES
		logval("handled[domain:e]", ((int)now.handled[ Index(((int)((P1 *)_this)->e), 2) ]));
#endif
		;
		/* merge: .(goto)(182, 170, 182) */
		reached[1][170] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 74: // STATE 170 - channel.pml:272 - [.(goto)] (0:182:0 - 2)
		IfNotBlocked
		reached[1][170] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 75: // STATE 173 - channel.pml:312 - [(ok)] (186:0:3 - 1)
		IfNotBlocked
		reached[1][173] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		/* merge: happened = 1(186, 174, 186) */
		reached[1][174] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->happened);
		((P1 *)_this)->happened = 1;
#ifdef VAR_RANGES
		logval("domain:happened", ((int)((P1 *)_this)->happened));
#endif
		;
		/* merge: count = (count-1)(186, 175, 186) */
		reached[1][175] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->count);
		((P1 *)_this)->count = (((int)((P1 *)_this)->count)-1);
#ifdef VAR_RANGES
		logval("domain:count", ((int)((P1 *)_this)->count));
#endif
		;
		/* merge: .(goto)(0, 183, 186) */
		reached[1][183] = 1;
		;
		/* merge: .(goto)(0, 187, 186) */
		reached[1][187] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 76: // STATE 177 - channel.pml:320 - [own[e].taken = (own[e].taken-1)] (0:186:4 - 1)
		IfNotBlocked
		reached[1][177] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken);
		now.own[ Index(((P1 *)_this)->e, 2) ].taken = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)-1);
#ifdef VAR_RANGES
		logval("own[domain:e].taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken));
#endif
		;
		/* merge: own[e].stalled = 1(186, 178, 186) */
		reached[1][178] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled);
		now.own[ Index(((P1 *)_this)->e, 2) ].stalled = 1;
#ifdef VAR_RANGES
		logval("own[domain:e].stalled", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled));
#endif
		;
		/* merge: stalled = 1(186, 179, 186) */
		reached[1][179] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->stalled);
		((P1 *)_this)->stalled = 1;
#ifdef VAR_RANGES
		logval("domain:stalled", ((int)((P1 *)_this)->stalled));
#endif
		;
		/* merge: count = 0(186, 180, 186) */
		reached[1][180] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P1 *)_this)->count);
		((P1 *)_this)->count = 0;
#ifdef VAR_RANGES
		logval("domain:count", ((int)((P1 *)_this)->count));
#endif
		;
		/* merge: .(goto)(0, 183, 186) */
		reached[1][183] = 1;
		;
		/* merge: .(goto)(0, 187, 186) */
		reached[1][187] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 77: // STATE 190 - channel.pml:572 - [e = (e+1)] (0:193:1 - 3)
		IfNotBlocked
		reached[1][190] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 194, 193) */
		reached[1][194] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 78: // STATE 196 - channel.pml:574 - [(happened)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][196] = 1;
		if (!(((int)((P1 *)_this)->happened)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 79: // STATE 197 - channel.pml:218 - [held = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][197] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->held);
		((P1 *)_this)->held = 0;
#ifdef VAR_RANGES
		logval("domain:held", ((int)((P1 *)_this)->held));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 80: // STATE 198 - channel.pml:220 - [(((me==0)&&(sent<3)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][198] = 1;
		if (!(((((int)((P1 *)_this)->me)==0)&&(((int)now.sent)<3))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 81: // STATE 199 - channel.pml:165 - [ok = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][199] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 82: // STATE 200 - channel.pml:167 - [((own[0].produced==own[0].put_end))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][200] = 1;
		if (!((((int)now.own[0].produced)==((int)now.own[0].put_end))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 83: // STATE 201 - channel.pml:153 - [own[0].put_end = (memory[(0^1)].done+2)] (0:214:3 - 1)
		IfNotBlocked
		reached[1][201] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.own[0].put_end);
		now.own[0].put_end = (((int)now.memory[ Index((0^1), 2) ].done)+2);
#ifdef VAR_RANGES
		logval("own[0].put_end", ((int)now.own[0].put_end));
#endif
		;
		/* merge: own[0].short_of_room = (own[0].put_end==own[0].produced)(214, 202, 214) */
		reached[1][202] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[0].short_of_room);
		now.own[0].short_of_room = (((int)now.own[0].put_end)==((int)now.own[0].produced));
#ifdef VAR_RANGES
		logval("own[0].short_of_room", ((int)now.own[0].short_of_room));
#endif
		;
		/* merge: ok = !(own[0].short_of_room)(214, 203, 214) */
		reached[1][203] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)now.own[0].short_of_room));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(0, 208, 214) */
		reached[1][208] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 84: // STATE 209 - channel.pml:171 - [(ok)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][209] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 85: // STATE 210 - channel.pml:173 - [own[0].produced = (own[0].produced+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][210] = 1;
		(trpt+1)->bup.oval = ((int)now.own[0].produced);
		now.own[0].produced = (((int)now.own[0].produced)+1);
#ifdef VAR_RANGES
		logval("own[0].produced", ((int)now.own[0].produced));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 86: // STATE 211 - channel.pml:175 - [buffer[me]!0,ENTRY,own[0].produced] (0:0:0 - 1)
		IfNotBlocked
		reached[1][211] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", 0); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 1); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[0].produced)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, 0, 1, ((int)now.own[0].produced), 3);
		_m = 2; goto P999; /* 0 */
	case 87: // STATE 217 - channel.pml:223 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][217] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 88: // STATE 218 - channel.pml:223 - [sent = (sent+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][218] = 1;
		(trpt+1)->bup.oval = ((int)now.sent);
		now.sent = (((int)now.sent)+1);
#ifdef VAR_RANGES
		logval("sent", ((int)now.sent));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 89: // STATE 232 - channel.pml:442 - [e = first] (0:0:1 - 1)
		IfNotBlocked
		reached[1][232] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 233 - channel.pml:442 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][233] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 91: // STATE 234 - channel.pml:353 - [((own[e].my_produced!=own[e].produced))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][234] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_produced)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 235 - channel.pml:355 - [own[e].my_produced = own[e].produced] (0:237:2 - 1)
		IfNotBlocked
		reached[1][235] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_produced);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_produced = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced);
#ifdef VAR_RANGES
		logval("own[domain:e].my_produced", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_produced));
#endif
		;
		/* merge: own[e].news_put = 1(237, 236, 237) */
		reached[1][236] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put);
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = 1;
#ifdef VAR_RANGES
		logval("own[domain:e].news_put", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 93: // STATE 237 - channel.pml:357 - [buffer[me]!e,PRODUCED,own[e].produced] (246:0:1 - 1)
		IfNotBlocked
		reached[1][237] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 6); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 6, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].produced), 3);
		/* merge: .(goto)(246, 241, 246) */
		reached[1][241] = 1;
		;
		/* merge: e = (e+1)(246, 243, 246) */
		reached[1][243] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 247, 246) */
		reached[1][247] = 1;
		;
		_m = 2; goto P999; /* 3 */
	case 94: // STATE 243 - channel.pml:442 - [e = (e+1)] (0:246:1 - 3)
		IfNotBlocked
		reached[1][243] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 247, 246) */
		reached[1][247] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 95: // STATE 249 - channel.pml:443 - [e = first] (0:263:1 - 3)
		IfNotBlocked
		reached[1][249] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 264, 263) */
		reached[1][264] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 96: // STATE 250 - channel.pml:443 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][250] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 97: // STATE 251 - channel.pml:366 - [((own[e].my_done!=own[e].taken))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][251] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_done)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 98: // STATE 252 - channel.pml:368 - [own[e].my_done = own[e].taken] (0:254:2 - 1)
		IfNotBlocked
		reached[1][252] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_done);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_done = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken);
#ifdef VAR_RANGES
		logval("own[domain:e].my_done", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_done));
#endif
		;
		/* merge: own[e].news_taken = 1(254, 253, 254) */
		reached[1][253] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken);
		now.own[ Index(((P1 *)_this)->e, 2) ].news_taken = 1;
#ifdef VAR_RANGES
		logval("own[domain:e].news_taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 99: // STATE 254 - channel.pml:370 - [buffer[me]!e,DONE,own[e].taken] (263:0:1 - 1)
		IfNotBlocked
		reached[1][254] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 5); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 5, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken), 3);
		/* merge: .(goto)(263, 258, 263) */
		reached[1][258] = 1;
		;
		/* merge: e = (e+1)(263, 260, 263) */
		reached[1][260] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 264, 263) */
		reached[1][264] = 1;
		;
		_m = 2; goto P999; /* 3 */
	case 100: // STATE 260 - channel.pml:443 - [e = (e+1)] (0:263:1 - 3)
		IfNotBlocked
		reached[1][260] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 264, 263) */
		reached[1][264] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 101: // STATE 266 - channel.pml:446 - [(empty(buffer[me]))] (0:0:0 - 3)
		IfNotBlocked
		reached[1][266] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 102: // STATE 267 - channel.pml:448 - [e = first] (0:0:1 - 1)
		IfNotBlocked
		reached[1][267] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 103: // STATE 268 - channel.pml:448 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][268] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 104: // STATE 269 - channel.pml:379 - [ok = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][269] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 0;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 105: // STATE 270 - channel.pml:381 - [(own[e].news_put)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][270] = 1;
		if (!(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 106: // STATE 271 - channel.pml:383 - [value = memory[(e^1)].sleeping] (0:0:1 - 1)
		IfNotBlocked
		reached[1][271] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = ((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].sleeping);
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 107: // STATE 272 - channel.pml:388 - [(((value&1)&&(value!=own[e].sleeping_rung)))] (299:0:5 - 1)
		IfNotBlocked
		reached[1][272] = 1;
		if (!(((((int)((P1 *)_this)->value)&1)&&(((int)((P1 *)_this)->value)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].sleeping_rung)))))
			continue;
		/* merge: own[e].sleeping_rung = value(299, 273, 299) */
		reached[1][273] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].sleeping_rung);
		now.own[ Index(((P1 *)_this)->e, 2) ].sleeping_rung = ((int)((P1 *)_this)->value);
#ifdef VAR_RANGES
		logval("own[domain:e].sleeping_rung", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].sleeping_rung));
#endif
		;
		/* merge: assert((rung_sleeping[(e^1)]!=value))(299, 274, 299) */
		reached[1][274] = 1;
		spin_assert((((int)now.rung_sleeping[ Index((((int)((P1 *)_this)->e)^1), 2) ])!=((int)((P1 *)_this)->value)), "(rung_sleeping[(e^1)]!=value)", II, tt, t);
		/* merge: rung_sleeping[(e^1)] = value(299, 275, 299) */
		reached[1][275] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.rung_sleeping[ Index((((int)((P1 *)_this)->e)^1), 2) ]);
		now.rung_sleeping[ Index((((P1 *)_this)->e^1), 2) ] = ((int)((P1 *)_this)->value);
#ifdef VAR_RANGES
		logval("rung_sleeping[(domain:e^1)]", ((int)now.rung_sleeping[ Index((((int)((P1 *)_this)->e)^1), 2) ]));
#endif
		;
		/* merge: ok = 1(299, 276, 299) */
		reached[1][276] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(299, 279, 299) */
		reached[1][279] = 1;
		;
		/* merge: own[e].news_put = 0(299, 280, 299) */
		reached[1][280] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put);
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].news_put", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put));
#endif
		;
		/* merge: value = 0(299, 281, 299) */
		reached[1][281] = 1;
		(trpt+1)->bup.ovals[4] = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		/* merge: .(goto)(0, 285, 299) */
		reached[1][285] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 108: // STATE 280 - channel.pml:396 - [own[e].news_put = 0] (0:299:2 - 3)
		IfNotBlocked
		reached[1][280] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put);
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].news_put", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_put));
#endif
		;
		/* merge: value = 0(299, 281, 299) */
		reached[1][281] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		/* merge: .(goto)(0, 285, 299) */
		reached[1][285] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 109: // STATE 286 - channel.pml:405 - [(own[e].news_taken)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][286] = 1;
		if (!(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 110: // STATE 287 - channel.pml:408 - [value = memory[(e^1)].want_room] (0:0:1 - 1)
		IfNotBlocked
		reached[1][287] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = ((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].want_room);
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 111: // STATE 288 - channel.pml:413 - [(((value&1)&&(value!=own[e].want_room_rung)))] (301:0:4 - 1)
		IfNotBlocked
		reached[1][288] = 1;
		if (!(((((int)((P1 *)_this)->value)&1)&&(((int)((P1 *)_this)->value)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].want_room_rung)))))
			continue;
		/* merge: own[e].want_room_rung = value(301, 289, 301) */
		reached[1][289] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].want_room_rung);
		now.own[ Index(((P1 *)_this)->e, 2) ].want_room_rung = ((int)((P1 *)_this)->value);
#ifdef VAR_RANGES
		logval("own[domain:e].want_room_rung", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].want_room_rung));
#endif
		;
		/* merge: assert((rung_want_room[(e^1)]!=value))(301, 290, 301) */
		reached[1][290] = 1;
		spin_assert((((int)now.rung_want_room[ Index((((int)((P1 *)_this)->e)^1), 2) ])!=((int)((P1 *)_this)->value)), "(rung_want_room[(e^1)]!=value)", II, tt, t);
		/* merge: rung_want_room[(e^1)] = value(301, 291, 301) */
		reached[1][291] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.rung_want_room[ Index((((int)((P1 *)_this)->e)^1), 2) ]);
		now.rung_want_room[ Index((((P1 *)_this)->e^1), 2) ] = ((int)((P1 *)_this)->value);
#ifdef VAR_RANGES
		logval("rung_want_room[(domain:e^1)]", ((int)now.rung_want_room[ Index((((int)((P1 *)_this)->e)^1), 2) ]));
#endif
		;
		/* merge: ok = 1(301, 292, 301) */
		reached[1][292] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 1;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: .(goto)(301, 295, 301) */
		reached[1][295] = 1;
		;
		/* merge: value = 0(301, 296, 301) */
		reached[1][296] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		/* merge: .(goto)(0, 300, 301) */
		reached[1][300] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 112: // STATE 295 - channel.pml:421 - [.(goto)] (0:301:1 - 2)
		IfNotBlocked
		reached[1][295] = 1;
		;
		/* merge: value = 0(301, 296, 301) */
		reached[1][296] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->value);
		((P1 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("domain:value", ((int)((P1 *)_this)->value));
#endif
		;
		/* merge: .(goto)(0, 300, 301) */
		reached[1][300] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 113: // STATE 301 - channel.pml:425 - [own[e].news_taken = 0] (0:0:1 - 3)
		IfNotBlocked
		reached[1][301] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken);
		now.own[ Index(((P1 *)_this)->e, 2) ].news_taken = 0;
#ifdef VAR_RANGES
		logval("own[domain:e].news_taken", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].news_taken));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 114: // STATE 302 - channel.pml:427 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][302] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 115: // STATE 303 - channel.pml:345 - [(owed)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][303] = 1;
		if (!(((int)((P1 *)_this)->owed)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 116: // STATE 304 - channel.pml:337 - [(empty(buffer[me]))] (321:0:4 - 1)
		IfNotBlocked
		reached[1][304] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		/* merge: pending[(owed-1)] = 1(321, 305, 321) */
		reached[1][305] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]);
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = 1;
#ifdef VAR_RANGES
		logval("pending[(domain:owed-1)]", ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]));
#endif
		;
		/* merge: owed = 0(321, 308, 321) */
		reached[1][308] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		/* merge: .(goto)(321, 311, 321) */
		reached[1][311] = 1;
		;
		/* merge: owed = (1+(e^1))(321, 313, 321) */
		reached[1][313] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = (1+(((int)((P1 *)_this)->e)^1));
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		/* merge: .(goto)(321, 316, 321) */
		reached[1][316] = 1;
		;
		/* merge: e = (e+1)(321, 318, 321) */
		reached[1][318] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 322, 321) */
		reached[1][322] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 117: // STATE 313 - channel.pml:431 - [owed = (1+(e^1))] (0:321:2 - 3)
		IfNotBlocked
		reached[1][313] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = (1+(((int)((P1 *)_this)->e)^1));
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		/* merge: .(goto)(321, 316, 321) */
		reached[1][316] = 1;
		;
		/* merge: e = (e+1)(321, 318, 321) */
		reached[1][318] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 322, 321) */
		reached[1][322] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 118: // STATE 318 - channel.pml:448 - [e = (e+1)] (0:321:1 - 3)
		IfNotBlocked
		reached[1][318] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 322, 321) */
		reached[1][322] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 119: // STATE 325 - channel.pml:583 - [ok = (!(stalled)||(retry&&!(happened)))] (0:429:3 - 1)
		IfNotBlocked
		reached[1][325] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = ( !(((int)((P1 *)_this)->stalled))||(((int)((P1 *)_this)->retry)&& !(((int)((P1 *)_this)->happened))));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: happened = 0(429, 326, 429) */
		reached[1][326] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->happened);
		((P1 *)_this)->happened = 0;
#ifdef VAR_RANGES
		logval("domain:happened", ((int)((P1 *)_this)->happened));
#endif
		;
		/* merge: retry = 0(429, 327, 429) */
		reached[1][327] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->retry);
		((P1 *)_this)->retry = 0;
#ifdef VAR_RANGES
		logval("domain:retry", ((int)((P1 *)_this)->retry));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 120: // STATE 329 - channel.pml:589 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][329] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 121: // STATE 330 - channel.pml:532 - [e = first] (0:0:1 - 1)
		IfNotBlocked
		reached[1][330] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 122: // STATE 331 - channel.pml:532 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][331] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 123: // STATE 332 - channel.pml:454 - [(!(own[e].stalled))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][332] = 1;
		if (!( !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 124: // STATE 333 - channel.pml:456 - [own[e].my_sleeping = (own[e].my_sleeping+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][333] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_sleeping", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 125: // STATE 334 - channel.pml:457 - [buffer[me]!e,SLEEPING,own[e].my_sleeping] (0:0:0 - 1)
		IfNotBlocked
		reached[1][334] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 4); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 4, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping), 3);
		_m = 2; goto P999; /* 0 */
	case 126: // STATE 339 - channel.pml:462 - [((stalled||own[e].short_of_room))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][339] = 1;
		if (!((((int)((P1 *)_this)->stalled)||((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 127: // STATE 340 - channel.pml:464 - [own[e].my_want_room = (own[e].my_want_room+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][340] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_want_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 128: // STATE 341 - channel.pml:465 - [buffer[me]!e,WANT_ROOM,own[e].my_want_room] (350:0:1 - 1)
		IfNotBlocked
		reached[1][341] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 3); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 3, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room), 3);
		/* merge: .(goto)(350, 345, 350) */
		reached[1][345] = 1;
		;
		/* merge: e = (e+1)(350, 347, 350) */
		reached[1][347] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 351, 350) */
		reached[1][351] = 1;
		;
		_m = 2; goto P999; /* 3 */
	case 129: // STATE 347 - channel.pml:532 - [e = (e+1)] (0:350:1 - 3)
		IfNotBlocked
		reached[1][347] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 351, 350) */
		reached[1][351] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 130: // STATE 353 - channel.pml:534 - [(empty(buffer[me]))] (0:0:0 - 3)
		IfNotBlocked
		reached[1][353] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 131: // STATE 354 - channel.pml:536 - [changed = 0] (0:376:2 - 1)
		IfNotBlocked
		reached[1][354] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->changed);
		((P1 *)_this)->changed = 0;
#ifdef VAR_RANGES
		logval("domain:changed", ((int)((P1 *)_this)->changed));
#endif
		;
		/* merge: e = first(376, 355, 376) */
		reached[1][355] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 377, 376) */
		reached[1][377] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 132: // STATE 356 - channel.pml:537 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][356] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 133: // STATE 357 - channel.pml:475 - [(!(own[e].stalled))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][357] = 1;
		if (!( !(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].stalled))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 134: // STATE 358 - channel.pml:475 - [changed = (changed||(memory[(e^1)].produced!=own[e].taken))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][358] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->changed);
		((P1 *)_this)->changed = (((int)((P1 *)_this)->changed)||(((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].produced)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].taken)));
#ifdef VAR_RANGES
		logval("domain:changed", ((int)((P1 *)_this)->changed));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 135: // STATE 362 - channel.pml:484 - [(stalled)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][362] = 1;
		if (!(((int)((P1 *)_this)->stalled)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 136: // STATE 363 - channel.pml:484 - [changed = (changed||(memory[(e^1)].done!=own[e].done_noted))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][363] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->changed);
		((P1 *)_this)->changed = (((int)((P1 *)_this)->changed)||(((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)!=((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].done_noted)));
#ifdef VAR_RANGES
		logval("domain:changed", ((int)((P1 *)_this)->changed));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 137: // STATE 367 - channel.pml:488 - [(own[e].short_of_room)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][367] = 1;
		if (!(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].short_of_room)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 138: // STATE 368 - channel.pml:489 - [changed = (changed||(memory[(e^1)].done!=(own[e].put_end-2)))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][368] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->changed);
		((P1 *)_this)->changed = (((int)((P1 *)_this)->changed)||(((int)now.memory[ Index((((int)((P1 *)_this)->e)^1), 2) ].done)!=(((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].put_end)-2)));
#ifdef VAR_RANGES
		logval("domain:changed", ((int)((P1 *)_this)->changed));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 139: // STATE 373 - channel.pml:537 - [e = (e+1)] (0:376:1 - 3)
		IfNotBlocked
		reached[1][373] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 377, 376) */
		reached[1][377] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 140: // STATE 379 - channel.pml:538 - [ok = !(changed)] (0:403:2 - 3)
		IfNotBlocked
		reached[1][379] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok =  !(((int)((P1 *)_this)->changed));
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		/* merge: changed = 0(403, 380, 403) */
		reached[1][380] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->changed);
		((P1 *)_this)->changed = 0;
#ifdef VAR_RANGES
		logval("domain:changed", ((int)((P1 *)_this)->changed));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 141: // STATE 382 - channel.pml:592 - [(ok)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][382] = 1;
		if (!(((int)((P1 *)_this)->ok)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: ok */  (trpt+1)->bup.oval = ((P1 *)_this)->ok;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->ok = 0;
		_m = 3; goto P999; /* 0 */
	case 142: // STATE 383 - channel.pml:345 - [(owed)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][383] = 1;
		if (!(((int)((P1 *)_this)->owed)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 143: // STATE 384 - channel.pml:337 - [(empty(buffer[me]))] (396:0:3 - 1)
		IfNotBlocked
		reached[1][384] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		/* merge: pending[(owed-1)] = 1(396, 385, 396) */
		reached[1][385] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]);
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = 1;
#ifdef VAR_RANGES
		logval("pending[(domain:owed-1)]", ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]));
#endif
		;
		/* merge: owed = 0(396, 388, 396) */
		reached[1][388] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		/* merge: .(goto)(396, 391, 396) */
		reached[1][391] = 1;
		;
		/* merge: owed = 0(396, 393, 396) */
		reached[1][393] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 144: // STATE 393 - channel.pml:548 - [owed = 0] (0:396:1 - 3)
		IfNotBlocked
		reached[1][393] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 145: // STATE 394 - channel.pml:550 - [(empty(buffer[me]))] (400:0:1 - 1)
		IfNotBlocked
		reached[1][394] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		/* merge: waiting[me] = 1(0, 395, 400) */
		reached[1][395] = 1;
		(trpt+1)->bup.oval = ((int)waiting[ Index(((int)((P1 *)_this)->me), 2) ]);
		waiting[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("waiting[domain:me]", ((int)waiting[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 146: // STATE 397 - channel.pml:555 - [(pending[me])] (425:0:3 - 1)
		IfNotBlocked
		reached[1][397] = 1;
		if (!(((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		/* merge: pending[me] = 0(425, 398, 425) */
		reached[1][398] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.pending[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pending[domain:me]", ((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: waiting[me] = 0(425, 399, 425) */
		reached[1][399] = 1;
		(trpt+1)->bup.ovals[1] = ((int)waiting[ Index(((int)((P1 *)_this)->me), 2) ]);
		waiting[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("waiting[domain:me]", ((int)waiting[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: .(goto)(425, 404, 425) */
		reached[1][404] = 1;
		;
		/* merge: e = first(425, 405, 425) */
		reached[1][405] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 426, 425) */
		reached[1][426] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 147: // STATE 405 - channel.pml:595 - [e = first] (0:425:1 - 3)
		IfNotBlocked
		reached[1][405] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = ((int)((P1 *)_this)->first);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 426, 425) */
		reached[1][426] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 148: // STATE 406 - channel.pml:595 - [((e<=last))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][406] = 1;
		if (!((((int)((P1 *)_this)->e)<=((int)((P1 *)_this)->last))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 149: // STATE 407 - channel.pml:512 - [((own[e].my_sleeping&1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][407] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)&1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 150: // STATE 408 - channel.pml:514 - [own[e].my_sleeping = (own[e].my_sleeping+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][408] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_sleeping", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 151: // STATE 409 - channel.pml:515 - [buffer[me]!e,SLEEPING,own[e].my_sleeping] (0:0:0 - 1)
		IfNotBlocked
		reached[1][409] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 4); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 4, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_sleeping), 3);
		_m = 2; goto P999; /* 0 */
	case 152: // STATE 414 - channel.pml:520 - [((own[e].my_want_room&1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][414] = 1;
		if (!((((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)&1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 153: // STATE 415 - channel.pml:522 - [own[e].my_want_room = (own[e].my_want_room+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][415] = 1;
		(trpt+1)->bup.oval = ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room);
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = (((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)+1);
#ifdef VAR_RANGES
		logval("own[domain:e].my_want_room", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 154: // STATE 416 - channel.pml:523 - [buffer[me]!e,WANT_ROOM,own[e].my_want_room] (425:0:1 - 1)
		IfNotBlocked
		reached[1][416] = 1;
		if (q_full(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]))
			continue;
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[64];
			sprintf(simvals, "%d!", now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		sprintf(simtmp, "%d", ((int)((P1 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", 3); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room)); strcat(simvals, simtmp);		}
#endif
		
		qsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ], 0, ((int)((P1 *)_this)->e), 3, ((int)now.own[ Index(((int)((P1 *)_this)->e), 2) ].my_want_room), 3);
		/* merge: .(goto)(425, 420, 425) */
		reached[1][420] = 1;
		;
		/* merge: e = (e+1)(425, 422, 425) */
		reached[1][422] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 426, 425) */
		reached[1][426] = 1;
		;
		_m = 2; goto P999; /* 3 */
	case 155: // STATE 422 - channel.pml:595 - [e = (e+1)] (0:425:1 - 3)
		IfNotBlocked
		reached[1][422] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->e);
		((P1 *)_this)->e = (((int)((P1 *)_this)->e)+1);
#ifdef VAR_RANGES
		logval("domain:e", ((int)((P1 *)_this)->e));
#endif
		;
		/* merge: .(goto)(0, 426, 425) */
		reached[1][426] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 156: // STATE 431 - channel.pml:598 - [ok = 0] (0:441:1 - 5)
		IfNotBlocked
		reached[1][431] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->ok);
		((P1 *)_this)->ok = 0;
#ifdef VAR_RANGES
		logval("domain:ok", ((int)((P1 *)_this)->ok));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 157: // STATE 432 - channel.pml:345 - [(owed)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][432] = 1;
		if (!(((int)((P1 *)_this)->owed)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 158: // STATE 433 - channel.pml:337 - [(empty(buffer[me]))] (446:0:3 - 1)
		IfNotBlocked
		reached[1][433] = 1;
		if (!((q_len(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ])==0)))
			continue;
		/* merge: pending[(owed-1)] = 1(446, 434, 446) */
		reached[1][434] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]);
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = 1;
#ifdef VAR_RANGES
		logval("pending[(domain:owed-1)]", ((int)now.pending[ Index((((int)((P1 *)_this)->owed)-1), 2) ]));
#endif
		;
		/* merge: owed = 0(446, 437, 446) */
		reached[1][437] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		/* merge: .(goto)(446, 440, 446) */
		reached[1][440] = 1;
		;
		/* merge: owed = 0(446, 442, 446) */
		reached[1][442] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 159: // STATE 442 - channel.pml:602 - [owed = 0] (0:446:1 - 3)
		IfNotBlocked
		reached[1][442] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->owed);
		((P1 *)_this)->owed = 0;
#ifdef VAR_RANGES
		logval("domain:owed", ((int)((P1 *)_this)->owed));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 160: // STATE 443 - channel.pml:605 - [(pending[me])] (0:0:0 - 1)
		IfNotBlocked
		reached[1][443] = 1;
		if (!(((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 161: // STATE 444 - channel.pml:605 - [pending[me] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][444] = 1;
		(trpt+1)->bup.oval = ((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.pending[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pending[domain:me]", ((int)now.pending[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 162: // STATE 455 - channel.pml:658 - [-end-] (0:0:0 - 3)
		IfNotBlocked
		reached[1][455] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC store_buffer */
	case 163: // STATE 27 - channel.pml:129 - [D_STEP129]
		if (!(((q_len(now.buffer[ Index(((int)((P0 *)_this)->d), 2) ])))))
			continue;

		reached[0][27] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_000_0: /* 2 */
		if (q_len(now.buffer[ Index(((int)((P0 *)_this)->d), 2) ]) == 0) Uerror("block in d_step seq");

		XX=1;
		((P0 *)_this)->e = qrecv(now.buffer[ Index(((int)((P0 *)_this)->d), 2) ], XX-1, 0, 0);
#ifdef VAR_RANGES
		logval("store_buffer:e", ((int)((P0 *)_this)->e));
#endif
		;
		((P0 *)_this)->field = qrecv(now.buffer[ Index(((int)((P0 *)_this)->d), 2) ], XX-1, 1, 0);
#ifdef VAR_RANGES
		logval("store_buffer:field", ((P0 *)_this)->field);
#endif
		;
		((P0 *)_this)->value = qrecv(now.buffer[ Index(((int)((P0 *)_this)->d), 2) ], XX-1, 2, 1);
#ifdef VAR_RANGES
		logval("store_buffer:value", ((int)((P0 *)_this)->value));
#endif
		;
		
#ifdef HAS_CODE
		if (readtrail && gui) {
			char simtmp[32];
			sprintf(simvals, "%d?", now.buffer[ Index(((int)((P0 *)_this)->d), 2) ]);
		sprintf(simtmp, "%d", ((int)((P0 *)_this)->e)); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((P0 *)_this)->field); strcat(simvals, simtmp);		strcat(simvals, ",");
		sprintf(simtmp, "%d", ((int)((P0 *)_this)->value)); strcat(simvals, simtmp);		}
#endif
		;
S_022_0: /* 2 */
S_020_0: /* 2 */
S_001_0: /* 2 */
		if (!((((P0 *)_this)->field==6)))
			goto S_020_1;
S_002_0: /* 2 */
		spin_assert(((((int)((P0 *)_this)->value)>=((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].produced))&&(((int)((P0 *)_this)->value)<=((int)now.own[ Index(((int)((P0 *)_this)->e), 2) ].produced))), "((value>=memory[e].produced)&&(value<=own[e].produced))", II, tt, t);
S_003_0: /* 2 */
		spin_assert(((((int)((P0 *)_this)->value)-((int)now.memory[ Index((((int)((P0 *)_this)->e)^1), 2) ].done))<=2), "((value-memory[(e^1)].done)<=2)", II, tt, t);
S_004_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].produced = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].produced", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].produced));
#endif
		;
		goto S_021_0;
S_020_1: /* 3 */
S_005_0: /* 2 */
		if (!((((P0 *)_this)->field==5)))
			goto S_020_2;
S_006_0: /* 2 */
		spin_assert(((((int)((P0 *)_this)->value)>=((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].done))&&(((int)((P0 *)_this)->value)<=((int)now.own[ Index(((int)((P0 *)_this)->e), 2) ].taken))), "((value>=memory[e].done)&&(value<=own[e].taken))", II, tt, t);
S_007_0: /* 2 */
		spin_assert((((int)((P0 *)_this)->value)<=((int)now.memory[ Index((((int)((P0 *)_this)->e)^1), 2) ].produced)), "(value<=memory[(e^1)].produced)", II, tt, t);
S_008_0: /* 2 */
		spin_assert((((((int)((P0 *)_this)->e)!=1)||(((int)now.mode)==3))||((((int)((P0 *)_this)->value)*( ((((int)now.mode)==2)) ? (2) : (1) ))<=((int)now.memory[1].produced))), "(((e!=1)||(mode==3))||((value*( ((mode==2)) ? (2) : (1) ))<=memory[1].produced))", II, tt, t);
S_009_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].done = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].done", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].done));
#endif
		;
		goto S_021_0;
S_020_2: /* 3 */
S_010_0: /* 2 */
		if (!((((P0 *)_this)->field==2)))
			goto S_020_3;
S_011_0: /* 2 */
		spin_assert((((int)((P0 *)_this)->value)<=((int)now.memory[ Index((((int)((P0 *)_this)->e)^1), 2) ].produced)), "(value<=memory[(e^1)].produced)", II, tt, t);
S_012_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].current = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].current", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].current));
#endif
		;
		goto S_021_0;
S_020_3: /* 3 */
S_013_0: /* 2 */
		if (!((((P0 *)_this)->field==4)))
			goto S_020_4;
S_014_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].sleeping = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].sleeping", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].sleeping));
#endif
		;
		goto S_021_0;
S_020_4: /* 3 */
S_015_0: /* 2 */
		if (!((((P0 *)_this)->field==3)))
			goto S_020_5;
S_016_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].want_room = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].want_room", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].want_room));
#endif
		;
		goto S_021_0;
S_020_5: /* 3 */
S_017_0: /* 2 */
		if (!((((P0 *)_this)->field==1)))
			goto S_020_6;
S_018_0: /* 2 */
		spin_assert((((int)((P0 *)_this)->value)<=(((int)now.own[ Index((((int)((P0 *)_this)->e)^1), 2) ].taken)+2)), "(value<=(own[(e^1)].taken+2))", II, tt, t);
S_019_0: /* 2 */
		now.memory[ Index(((P0 *)_this)->e, 2) ].entry[ Index(((((P0 *)_this)->value-1)%2), 2) ] = ((int)((P0 *)_this)->value);
#ifdef VAR_RANGES
		logval("memory[store_buffer:e].entry[((store_buffer:value-1)%2)]", ((int)now.memory[ Index(((int)((P0 *)_this)->e), 2) ].entry[ Index(((((int)((P0 *)_this)->value)-1)%2), 2) ]));
#endif
		;
		goto S_021_0;
S_020_6: /* 3 */
		Uerror("blocking sel in d_step (nr.0, near line 100)");
S_021_0: /* 2 */
		goto S_023_0;
S_023_0: /* 2 */
		((P0 *)_this)->e = 0;
#ifdef VAR_RANGES
		logval("store_buffer:e", ((int)((P0 *)_this)->e));
#endif
		;
S_024_0: /* 2 */
		((P0 *)_this)->field = 0;
#ifdef VAR_RANGES
		logval("store_buffer:field", ((P0 *)_this)->field);
#endif
		;
S_025_0: /* 2 */
		((P0 *)_this)->value = 0;
#ifdef VAR_RANGES
		logval("store_buffer:value", ((int)((P0 *)_this)->value));
#endif
		;
		goto S_028_0;
S_028_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 4; goto P999;

	case 164: // STATE 31 - channel.pml:137 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][31] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

