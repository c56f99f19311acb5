	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 1
		;
		now.mode = trpt->bup.oval;
		;
		goto R999;

	case 4: // STATE 2
		;
		now.mode = trpt->bup.oval;
		;
		goto R999;

	case 5: // STATE 3
		;
		now.mode = trpt->bup.oval;
		;
		goto R999;

	case 6: // STATE 6
		;
		now.batch = trpt->bup.oval;
		;
		goto R999;

	case 7: // STATE 7
		;
		now.batch = trpt->bup.oval;
		;
		goto R999;

	case 8: // STATE 10
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 9: // STATE 11
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 10: // STATE 12
		;
		life[1] = trpt->bup.oval;
		;
		goto R999;

	case 11: // STATE 13
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 12: // STATE 14
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;
;
		;
		;
		;
		;
		;
		;
		;
		
	case 17: // STATE 20
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC domain */

	case 18: // STATE 1
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
			case 20: // STATE 19
		sv_restor();
		goto R999;
;
		;
		
	case 22: // STATE 21
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = trpt->bup.oval;
		;
		goto R999;

	case 23: // STATE 22
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;
;
		;
		
	case 25: // STATE 28
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = trpt->bup.oval;
		;
		goto R999;

	case 26: // STATE 36
		;
		((P1 *)_this)->e = trpt->bup.oval;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 27: // STATE 36
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 28: // STATE 42
		;
		((P1 *)_this)->happened = trpt->bup.oval;
		;
		goto R999;

	case 29: // STATE 44
		;
		((P1 *)_this)->stalled = trpt->bup.ovals[1];
		((P1 *)_this)->retry = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 30: // STATE 46
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 32: // STATE 48
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].done_noted = trpt->bup.oval;
		;
		goto R999;

	case 33: // STATE 49
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 34: // STATE 58
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 36: // STATE 60
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].stalled = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 38: // STATE 64
		;
		((P1 *)_this)->happened = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 39: // STATE 67
		goto R999;

	case 40: // STATE 72
		;
		((P1 *)_this)->count = trpt->bup.oval;
		;
		goto R999;

	case 41: // STATE 75
		;
		((P1 *)_this)->count = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->count = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 42: // STATE 78
		goto R999;
;
		;
		
	case 44: // STATE 84
		;
		((P1 *)_this)->value = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].taken = trpt->bup.ovals[1];
		((P1 *)_this)->value = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 45: // STATE 87
		;
		in_hand[ Index(((P1 *)_this)->e, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 46: // STATE 91
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 48: // STATE 93
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 50: // STATE 97
		;
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 52: // STATE 104
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = trpt->bup.oval;
		;
		goto R999;

	case 53: // STATE 105
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;
;
		;
		
	case 55: // STATE 114
		;
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 56: // STATE 117
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;

	case 57: // STATE 118
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;

	case 58: // STATE 119
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 60: // STATE 123
		;
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 61: // STATE 129
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;

	case 62: // STATE 130
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = trpt->bup.oval;
		;
		goto R999;

	case 63: // STATE 131
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 64: // STATE 137
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 66: // STATE 141
		;
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].short_of_room = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].put_end = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 68: // STATE 148
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].produced = trpt->bup.oval;
		;
		goto R999;

	case 69: // STATE 149
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;
;
		;
		
	case 71: // STATE 160
		;
		((P1 *)_this)->held = trpt->bup.ovals[1];
		((P1 *)_this)->ok = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 72: // STATE 165
		;
		in_hand[ Index(((P1 *)_this)->e, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 73: // STATE 167
		;
		now.handled[ Index(((P1 *)_this)->e, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 74: // STATE 170
		goto R999;

	case 75: // STATE 175
		;
		((P1 *)_this)->count = trpt->bup.ovals[2];
		((P1 *)_this)->happened = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->ok = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 76: // STATE 180
		;
		((P1 *)_this)->count = trpt->bup.ovals[3];
		((P1 *)_this)->stalled = trpt->bup.ovals[2];
		now.own[ Index(((P1 *)_this)->e, 2) ].stalled = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].taken = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 77: // STATE 190
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 79: // STATE 197
		;
		((P1 *)_this)->held = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 81: // STATE 199
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 83: // STATE 203
		;
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.own[0].short_of_room = trpt->bup.ovals[1];
		now.own[0].put_end = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 85: // STATE 210
		;
		now.own[0].produced = trpt->bup.oval;
		;
		goto R999;

	case 86: // STATE 211
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 87: // STATE 217
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;

	case 88: // STATE 218
		;
		now.sent = trpt->bup.oval;
		;
		goto R999;

	case 89: // STATE 232
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 92: // STATE 236
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].my_produced = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 93: // STATE 243
		;
		((P1 *)_this)->e = trpt->bup.oval;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 94: // STATE 243
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 95: // STATE 249
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 98: // STATE 253
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].news_taken = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].my_done = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 99: // STATE 260
		;
		((P1 *)_this)->e = trpt->bup.oval;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 100: // STATE 260
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 102: // STATE 267
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 104: // STATE 269
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 106: // STATE 271
		;
		((P1 *)_this)->value = trpt->bup.oval;
		;
		goto R999;

	case 107: // STATE 281
		;
		((P1 *)_this)->value = trpt->bup.ovals[4];
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = trpt->bup.ovals[3];
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.rung_sleeping[ Index((((P1 *)_this)->e^1), 2) ] = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].sleeping_rung = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 108: // STATE 281
		;
		((P1 *)_this)->value = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].news_put = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 110: // STATE 287
		;
		((P1 *)_this)->value = trpt->bup.oval;
		;
		goto R999;

	case 111: // STATE 296
		;
		((P1 *)_this)->value = trpt->bup.ovals[3];
		((P1 *)_this)->ok = trpt->bup.ovals[2];
		now.rung_want_room[ Index((((P1 *)_this)->e^1), 2) ] = trpt->bup.ovals[1];
		now.own[ Index(((P1 *)_this)->e, 2) ].want_room_rung = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 112: // STATE 296
		;
		((P1 *)_this)->value = trpt->bup.oval;
		;
		goto R999;

	case 113: // STATE 301
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].news_taken = trpt->bup.oval;
		;
		goto R999;

	case 114: // STATE 302
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;
;
		;
		
	case 116: // STATE 318
		;
		((P1 *)_this)->e = trpt->bup.ovals[3];
		((P1 *)_this)->owed = trpt->bup.ovals[2];
		((P1 *)_this)->owed = trpt->bup.ovals[1];
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 117: // STATE 318
		;
		((P1 *)_this)->e = trpt->bup.ovals[1];
		((P1 *)_this)->owed = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 118: // STATE 318
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 119: // STATE 327
		;
		((P1 *)_this)->retry = trpt->bup.ovals[2];
		((P1 *)_this)->happened = trpt->bup.ovals[1];
		((P1 *)_this)->ok = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 120: // STATE 329
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;

	case 121: // STATE 330
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 124: // STATE 333
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = trpt->bup.oval;
		;
		goto R999;

	case 125: // STATE 334
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;
;
		;
		
	case 127: // STATE 340
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = trpt->bup.oval;
		;
		goto R999;

	case 128: // STATE 347
		;
		((P1 *)_this)->e = trpt->bup.oval;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 129: // STATE 347
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 131: // STATE 355
		;
		((P1 *)_this)->e = trpt->bup.ovals[1];
		((P1 *)_this)->changed = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		;
		;
		
	case 134: // STATE 358
		;
		((P1 *)_this)->changed = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 136: // STATE 363
		;
		((P1 *)_this)->changed = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 138: // STATE 368
		;
		((P1 *)_this)->changed = trpt->bup.oval;
		;
		goto R999;

	case 139: // STATE 373
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 140: // STATE 380
		;
		((P1 *)_this)->changed = trpt->bup.ovals[1];
		((P1 *)_this)->ok = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 141: // STATE 382
		;
	/* 0 */	((P1 *)_this)->ok = trpt->bup.oval;
		;
		;
		goto R999;
;
		;
		
	case 143: // STATE 393
		;
		((P1 *)_this)->owed = trpt->bup.ovals[2];
		((P1 *)_this)->owed = trpt->bup.ovals[1];
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 144: // STATE 393
		;
		((P1 *)_this)->owed = trpt->bup.oval;
		;
		goto R999;

	case 145: // STATE 395
		;
		waiting[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 146: // STATE 405
		;
		((P1 *)_this)->e = trpt->bup.ovals[2];
		waiting[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		now.pending[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 147: // STATE 405
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 150: // STATE 408
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_sleeping = trpt->bup.oval;
		;
		goto R999;

	case 151: // STATE 409
		;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;
;
		;
		
	case 153: // STATE 415
		;
		now.own[ Index(((P1 *)_this)->e, 2) ].my_want_room = trpt->bup.oval;
		;
		goto R999;

	case 154: // STATE 422
		;
		((P1 *)_this)->e = trpt->bup.oval;
		_m = unsend(now.buffer[ Index(((int)((P1 *)_this)->me), 2) ]);
		;
		goto R999;

	case 155: // STATE 422
		;
		((P1 *)_this)->e = trpt->bup.oval;
		;
		goto R999;

	case 156: // STATE 431
		;
		((P1 *)_this)->ok = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 158: // STATE 442
		;
		((P1 *)_this)->owed = trpt->bup.ovals[2];
		((P1 *)_this)->owed = trpt->bup.ovals[1];
		now.pending[ Index((((P1 *)_this)->owed-1), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 159: // STATE 442
		;
		((P1 *)_this)->owed = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 161: // STATE 444
		;
		now.pending[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 162: // STATE 455
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC store_buffer */
	case 163: // STATE 27
		sv_restor();
		goto R999;

	case 164: // STATE 31
		;
		p_restor(II);
		;
		;
		goto R999;
	}

