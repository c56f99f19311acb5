# SPDX-License-Identifier: ISC
#
# Walks the objects of a stopped simulator: gdb -x tools/sim/motet.gdb build/sim/checked/sim
# docs/simulator.md shows how.

set pagination off
# A domain's fault comes as a signal, which the simulator handles.
handle SIGSEGV SIGBUS SIGILL SIGFPE nostop noprint pass

define motet-now
  printf "step %lu, %lu ns, current thread %p\n", world.steps, sim_clock, sim_cpu.current
end
document motet-now
Where the simulated machine stands.
end

# The capability of init's table that stands first in the derivation list.
define motet-caps
  set $cap = (const struct cap *)init_table + 1
  while $cap && $cap->prev
    set $cap = $cap->prev
  end
  while $cap
    printf "%p depth %d type %d rights %#x address %#lx pages %d\n", $cap, $cap->depth, $cap->type, $cap->rights, $cap->address, $cap->pages
    set $cap = $cap->next
  end
end
document motet-caps
The derivation tree: each capability, what it is derived from standing before it with less depth.
end

define motet-threads
  set $cap = (const struct cap *)init_table + 1
  while $cap && $cap->prev
    set $cap = $cap->prev
  end
  while $cap
    if $cap->type == OBJECT_thread && ($cap->flags & CAP_FIRST)
      set $thread = (const struct thread *)$cap->object
      printf "%p priority %d state ", $thread, $thread->priority
      output (enum thread_state)$thread->state
      printf " at "
      output/a $thread->registers.rip
      printf " stack %#lx\n", $thread->registers.rsp
    end
    set $cap = $cap->next
  end
end
document motet-threads
All threads, with the place where each will go on.
end

define motet-port
  set $port = (const struct port *)$arg0
  printf "pending %#lx, %d messages, waiter %p\n", $port->pending, $port->count, $port->waiter
  set $n = 0
  while $n < $port->count
    output $port->entries[($port->head + $n) % PORT_QUEUE_SLOTS].msg
    printf "\n"
    set $n = $n + 1
  end
end
document motet-port
motet-port ADDRESS: a port's pending signals and queued messages.
end

define motet-user
  set $thread = (const struct thread *)sim_cpu.current
  output/a $thread->registers.rip
  printf "\n"
  x/8a $thread->registers.rsp
end
document motet-user
Where the running thread left user code, and its stack.
end
