/* SPDX-License-Identifier: MIT */
/*
 * The pin protocol of the cache on x86-TSO: each reader has a store buffer, which empties by itself
 * at any moment, and whose content the reader itself sees. Stores of the writer are in program
 * order and followed by a locked instruction, so they need no buffer of their own.
 *
 *	reader	find the entry; slot = entry (buffered); is it still indexed?; use it;
 *		slot = none (buffered); has it been detached? then, under the lock: in no slot? free
 *	writer	under the lock: out of the index; membarrier; in no slot? free;
 *		otherwise an eviction puts it back, a removal leaves it to who releases it last
 *
 * Proved: nobody uses a value after it was freed or made another one, and at the end no detached
 * entry is left over. Mutants (-D): NO_BARRIER, NO_RECHECK, FORGET (a failed pin does not look
 * whether it has to free); each is refuted.
 */
#define READERS 2
#define ENTRIES 2
#define NONE    255

#define FREE     0
#define INDEXED  1
#define DETACHED 2

byte table = 0;            /* the entry of the one key, or NONE */
byte state[ENTRIES];
bool alive[ENTRIES];       /* the value exists */
byte version[ENTRIES];     /* which value it is */
byte slot[READERS];        /* as memory has it */
byte kept[READERS];        /* in the store buffer */
bool keeps[READERS];
bool locked, ready;
byte ended;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }
inline drain(r) { if :: keeps[r] -> slot[r] = kept[r]; keeps[r] = false :: else fi }

/* A buffer holds one store; the next one pushes the first out. */
inline store_light(r, value)
{
	atomic { drain(r); kept[r] = value; keeps[r] = true }
}

inline membarrier()
{
#ifndef NO_BARRIER
	atomic { drain(0); drain(1) }
#endif
	skip
}

inline destroy(e) { atomic { assert(alive[e]); alive[e] = false; state[e] = FREE } }

#define IN_A_SLOT(e) (slot[0] == e || slot[1] == e)

active [READERS] proctype reader()
{
	byte e, seen, turns = 0;
	ready;
	do
	:: turns < 2 ->
		turns++;
		e = table;
		if
		:: e == NONE -> goto next
		:: else
		fi;
		store_light(_pid, e);
#ifdef NO_RECHECK
		seen = version[e];
		assert(alive[e]);
#else
		if
		:: state[e] == INDEXED ->
			seen = version[e];
			/* Any moment until the release. */
			assert(alive[e] && version[e] == seen);
			assert(alive[e] && version[e] == seen)
		:: else
#ifdef FORGET
			-> store_light(_pid, NONE);
			goto next
#endif
		fi;
#endif
		store_light(_pid, NONE);
		if
		:: state[e] == DETACHED ->
			lock();
			atomic { drain(_pid) }	/* taking a lock is a locked instruction */
			if
			:: state[e] == DETACHED && !IN_A_SLOT(e) -> destroy(e)
			:: else
			fi;
			unlock()
		:: else
		fi;
next:		skip
	:: else -> break
	od;
	atomic { drain(_pid); ended++ }
}

/* The processor writes a buffered store back whenever it likes. */
active [READERS] proctype processor()
{
	byte r = _pid - READERS;
end:	do
	:: atomic { keeps[r] -> drain(r) }
	od
}

active proctype writer()
{
	byte e, turns = 0;
	ready;
	do
	:: turns < 3 ->
		turns++;
		lock();
		e = table;
		if
		:: e != NONE ->		/* evict: only what nobody has pinned */
			state[e] = DETACHED;
			membarrier();
			if
			:: IN_A_SLOT(e) -> state[e] = INDEXED
			:: else -> table = NONE; destroy(e)
			fi
		:: e != NONE ->		/* remove, whoever has it pinned */
			table = NONE;
			state[e] = DETACHED;
			membarrier();
			if
			:: IN_A_SLOT(e)
			:: else -> destroy(e)
			fi
		:: else ->		/* put: a free entry takes another value */
			e = 0;
			if
			:: state[0] != FREE -> e = 1
			:: else
			fi;
			if
			:: state[e] == FREE ->
				atomic { alive[e] = true; version[e]++ };
				state[e] = INDEXED;
				table = e
			:: else
			fi
		fi;
		unlock()
	:: else -> break
	od;
	ended++
}

init
{
	atomic {
		alive[0] = true; state[0] = INDEXED;
		slot[0] = NONE; slot[1] = NONE;
		ready = true
	}
	ended == READERS + 1;
	/* Nobody runs any more: what is alive is in the index. */
	assert(!(state[0] == DETACHED) && !(state[1] == DETACHED));
	assert(alive[0] == (table == 0) && alive[1] == (table == 1))
}
