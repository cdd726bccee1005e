/* SPDX-License-Identifier: MIT */
/*
 * The pin protocol of the cache on x86-TSO: each reader has a store buffer, which empties by itself
 * at any moment, and whose content the reader itself sees. The writer's stores are in program order
 * and followed by a locked instruction before anybody is told, so they need no buffer of their own.
 *
 *	hit	find the entry; slot = entry (buffered); is it INDEXED? else give back, take the lock
 *	release	slot = none (buffered); is it INDEXED? else, under the lock: detached, in no slot? free
 *	writer	under the lock: LEAVING; membarrier; in a slot? An eviction puts it back, a removal
 *		leaves it DETACHED to the last release. In no slot: free
 *	weak	under the lock: pins what is INDEXED or DETACHED
 *
 * Proved: nobody uses a value after it was freed or became another one, none is freed twice, and at
 * the end no detached one is left over. Mutants (-D), each refuted: NO_BARRIER, NO_RECHECK (a hit
 * does not look again), BLIND (a release does not look whether it has to free), FORGET (a hit that
 * gives back does not).
 */
#define READERS 2
#define ENTRIES 2
#define NONE    255

#define FREE     0
#define INDEXED  1
#define LEAVING  2
#define DETACHED 3

byte table = 0;      /* the entry of the one key, or NONE */
byte state[ENTRIES];
bool alive[ENTRIES]; /* the value exists */
bit version[ENTRIES];
byte slot[READERS];  /* as memory has it */
byte kept[READERS];  /* in the store buffer */
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

#define IN_A_SLOT(e) (slot[0] == e || slot[1] == e)
inline destroy(e) { atomic { assert(alive[e]); alive[e] = false; state[e] = FREE } }

/* Taking a lock is a locked instruction: it empties the buffer. */
inline released(e)
{
	lock();
	atomic { drain(_pid) }
	if
	:: state[e] == DETACHED && !IN_A_SLOT(e) -> destroy(e)
	:: else
	fi;
	unlock()
}

inline release(e)
{
	store_light(_pid, NONE);
#ifndef BLIND
	if
	:: state[e] != INDEXED -> released(e)
	:: else
	fi
#endif
}

/* Any moment while the pin is held. */
inline use(e)
{
	seen = version[e];
	assert(alive[e] && version[e] == seen);
	assert(alive[e] && version[e] == seen)
}

active [READERS] proctype reader()
{
	byte e, turns = 0;
	bit seen;
	ready;
	do
	:: turns < 2 ->
		turns++;
		e = table;
		if
		:: e == NONE -> goto slow
		:: else
		fi;
		store_light(_pid, e);
		if
#ifdef NO_RECHECK
		:: true ->
#else
		:: state[e] == INDEXED ->
#endif
			use(e);
			release(e);
			goto next
		:: else
		fi;
#ifdef FORGET
		store_light(_pid, NONE);
#else
		release(e);
#endif
slow:		lock();
		atomic { drain(_pid) }
		if
		:: table != NONE -> e = table
		:: state[0] == DETACHED -> e = 0
		:: else -> e = NONE
		fi;
		if
		:: e != NONE ->
			slot[_pid] = e;
			unlock();
			use(e);
			release(e)
		:: else -> unlock()
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
		:: e != NONE -> /* evict: only what nobody has pinned */
			state[e] = LEAVING;
			membarrier();
			if
			:: IN_A_SLOT(e) -> state[e] = INDEXED
			:: else -> table = NONE; destroy(e)
			fi
		:: e != NONE -> /* remove, whoever has it pinned */
			state[e] = LEAVING;
			membarrier();
			if
			:: IN_A_SLOT(e) -> table = NONE; state[e] = DETACHED
			:: else -> table = NONE; destroy(e)
			fi
		:: else -> /* put: a free entry takes another value */
			e = 0;
			if
			:: state[0] != FREE -> e = 1
			:: else
			fi;
			if
			:: state[e] == FREE ->
				atomic { alive[e] = true; version[e] = 1 - version[e] };
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
	assert(state[0] != DETACHED && state[1] != DETACHED);
	assert(alive[0] == (table == 0) && alive[1] == (table == 1))
}
