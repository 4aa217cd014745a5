// SPDX-License-Identifier: GPL-2.0
/// Report how each irq_domain_ops with a .free() callback, or whose .alloc()
/// callback reserves a block, treats a range of nr_irqs interrupts. A domain that
/// reserves and releases by order needs IRQ_DOMAIN_FREE_BULK, because .free() is
/// called for one interrupt at a time without it.
///
/// The message is '<ops>: <alloc>/<free>', followed by ' flag' when a domain of
/// these ops sets IRQ_DOMAIN_FREE_BULK, and by ' singly' when .alloc() asks the parent
/// domain for single interrupts, but does not mind to be asked for more. The words are
/// explained below.
///
// Confidence: Moderate
// Comments: Helpers are followed inside of the file. What the words mean:
//   .alloc()
//     order     reserves a power of two that holds nr_irqs
//     down      reserves by an order that is rounded down
//     aligned   reserves nr_irqs, with an alignment
//     rounded   rounds nr_irqs up, and reserves in a way that is not known here
//     exact     reserves nr_irqs, without an alignment
//     refuses   returns unless nr_irqs is 1
//     warns     warns unless nr_irqs is 1
//     each      loops over nr_irqs
//     first     none of these: sets up the first interrupt
//     other     is in another file
//     none      there is none
//     unparsed  Coccinelle does not understand it, or a helper
//   .free()
//     order     releases a power of two that is computed from nr_irqs
//     down      the same, rounded down
//     kept      releases by an order that it finds somewhere
//     one       tests whether nr_irqs is 1
//     each      loops over nr_irqs
//     range     uses nr_irqs without a loop
//     first     uses nr_irqs for nothing, or only hands it to the core
//     empty     is empty
//     core      is a function of the interrupt core
//     other     is in another file
//     none      there is none
//     unparsed  Coccinelle does not understand it, or a helper
// Options: --no-includes

virtual report
virtual org

@initialize:python@
@@
import re

UP = {'get_count_order', 'get_count_order_long', 'order_base_2', 'roundup_pow_of_two',
      '__roundup_pow_of_two'}
DOWN = {'ilog2', '__ilog2_u32', '__ilog2_u64', 'rounddown_pow_of_two', '__rounddown_pow_of_two',
        'fls', '__fls'}
CORE = {'irq_domain_free_irqs_common', 'irq_domain_free_irqs_parent', 'irq_domain_free_irqs_top'}


class File:
    """What the rules found in one file. All but ops are keyed by the name of a function."""
    def __init__(self):
        self.ops = {}      # name of the operations -> {'alloc': function, 'free': function}
        self.flagged = set()
        self.params = {}   # names of the parameters
        self.empty = set()
        self.calls = {}    # names of the called functions
        self.values = {}   # name of a variable -> what is assigned to it
        self.facts = {}    # (word, expression)
        self.text = set()  # names of the functions that the file defines, as far as text can tell


files = {}

DEFINITION = re.compile(r'^[A-Za-z_][\w \t*]*?\n?(\w+)\([^;{}#]*\)[^;{}()#]*\n\{', re.M)


def of(p):
    name = p[0].file
    if name not in files:
        files[name] = File()
        with open(name, encoding='utf-8', errors='replace') as file:
            files[name].text = set(DEFINITION.findall(file.read()))
    return files[name]


def value(p, name, expression):
    of(p).values.setdefault(p[0].current_element, {}).setdefault(name, set()).add(expression)


def fact(p, word, expression=''):
    of(p).facts.setdefault(p[0].current_element, set()).add((word, expression))


def callback(p, name, which, function):
    of(p).ops.setdefault(name, {})[which] = function


def words(text):
    return set(re.findall(r'[A-Za-z_]\w*', text))


def rounding(f, function, text, seen=()):
    """'up' or 'down': how an expression is rounded, through the variables of the function."""
    names = words(text)
    if names & UP:
        return 'up'
    found = 'down' if names & DOWN else None
    for name in names.difference(seen):
        for value in f.values.get(function, {}).get(name, ()):
            through = rounding(f, function, value, (*seen, name))
            if through == 'up':
                return 'up'
            found = found or through
    return found


def closure(f, function):
    """The function and all that it calls in this file."""
    found, todo = set(), [function]
    while todo:
        name = todo.pop()
        if name in f.params and name not in found:
            found.add(name)
            todo += f.calls.get(name, ())
    return found


def unparsed(f, function):
    """Is it, or something that it calls, defined in this file and missing in what was parsed?"""
    called = {function}.union(*(f.calls.get(name, ()) for name in closure(f, function)))
    return any(name in f.text and name not in f.params for name in called)


def facts(f, functions):
    """(function, word, expression) of all facts about some functions"""
    return [(name, *found) for name in functions for found in f.facts.get(name, ())]


def alloc_word(f, alloc, free):
    if not alloc:
        return 'none'
    if unparsed(f, alloc):
        return 'unparsed'
    if alloc not in f.params:
        return 'other'
    # A helper that .free() uses as well releases, it is there for the error path.
    found = facts(f, closure(f, alloc) - (closure(f, free) - {alloc}))
    seen = set()
    for function, word, value in found:
        if word == 'region':
            if not re.fullmatch(r'0|get_order \( 1 \)', value):
                seen.add('down' if rounding(f, function, value) == 'down' else 'order')
        elif word == 'area':
            length, mask = value.split(' ; ')
            if rounding(f, function, length) == 'up':
                seen.add('order')
            else:
                seen.add('exact' if mask == '0' else 'aligned')
        elif word == 'round':
            seen.add('rounded')
        elif word == 'loop' and value in f.params[function]:
            seen.add('each')
        elif word in ('refuses', 'warns') and function == alloc:
            seen.add(word)
    for word in ('order', 'down', 'aligned', 'rounded', 'exact', 'refuses', 'warns', 'each'):
        if word in seen:
            return word
    return 'first'


def free_word(f, free):
    if not free:
        return 'none'
    if free in CORE:
        return 'core'
    if unparsed(f, free):
        return 'unparsed'
    if free not in f.params:
        return 'other'
    if free in f.empty:
        return 'empty'
    seen = set()
    for function, word, value in facts(f, closure(f, free)):
        if word == 'release':
            way = rounding(f, function, value)
            if way or not re.fullmatch(r'0|get_order \( 1 \)', value):
                seen.add({'up': 'order', 'down': 'down', None: 'kept'}[way])
        elif word == 'clear' and rounding(f, function, value) == 'up':
            seen.add('order')
        elif word == 'loop' and value in f.params[function]:
            seen.add('each')
        elif word in ('one', 'range') and function == free:
            seen.add(word)
    for word in ('order', 'down', 'kept', 'one', 'each', 'range'):
        if word in seen:
            return word
    return 'first'


def singly(f, alloc, free):
    """Does .alloc() ask the parent domain for something else than the range that it got?"""
    found = facts(f, closure(f, alloc) - (closure(f, free) - {alloc}))
    return any(word == 'parent' and value not in f.params[function] for function, word, value in found)


def message(p, name):
    """What to say about some operations, or None when they are not of interest"""
    f = of(p)
    alloc, free = f.ops[name].get('alloc'), f.ops[name].get('free')
    how = alloc_word(f, alloc, free)
    if not free and how not in ('order', 'down', 'aligned', 'rounded', 'exact'):
        return None
    text = '%s: %s/%s' % (name, how, free_word(f, free))
    if name in f.flagged:
        text += ' flag'
    if how not in ('refuses', 'warns') and singly(f, alloc, free):
        text += ' singly'
    return text


def say_report(p, name):
    text = message(p, name)
    if text:
        coccilib.report.print_report(p[0], text)


def say_org(p, name):
    text = message(p, name)
    if text:
        coccilib.org.print_todo(p[0], text)

// Without this the parser gives up on functions that use it.

@parse@
iterator name scoped_guard;
statement S;
@@
scoped_guard(...) S

// The operations: initialized, or assigned at run time

@ops@
identifier o;
position p;
@@
struct irq_domain_ops o@p = { ... };

@script:python@
p << ops.p;
o << ops.o;
@@
of(p).ops.setdefault(o, {})

@alloc@
identifier ops.o, f;
position ops.p;
@@
struct irq_domain_ops o@p = { .alloc = f, };

@script:python@
p << ops.p;
o << ops.o;
f << alloc.f;
@@
callback(p, o, 'alloc', f)

@free@
identifier ops.o, f;
position ops.p;
@@
struct irq_domain_ops o@p = { .free = f, };

@script:python@
p << ops.p;
o << ops.o;
f << free.f;
@@
callback(p, o, 'free', f)

@assigned_alloc@
struct irq_domain_ops *x;
struct irq_domain_ops y;
expression e;
identifier f;
position p;
@@
(
x->alloc@p = f
|
y.alloc@p = f
|
e.child_irq_domain_ops.alloc@p = f
|
e->child_irq_domain_ops.alloc@p = f
)

@script:python@
p << assigned_alloc.p;
f << assigned_alloc.f;
@@
callback(p, p[0].current_element + '()', 'alloc', f)

@assigned_free@
struct irq_domain_ops *x;
struct irq_domain_ops y;
expression e;
identifier f;
position p;
@@
(
x->free@p = f
|
y.free@p = f
|
e.child_irq_domain_ops.free@p = f
|
e->child_irq_domain_ops.free@p = f
)

@script:python@
p << assigned_free.p;
f << assigned_free.f;
@@
callback(p, p[0].current_element + '()', 'free', f)

// The functions of the file

@define@
identifier f;
parameter list ps;
position p;
@@
f@p(ps) { ... }

@script:python@
p << define.p;
f << define.f;
ps << define.ps;
@@
of(p).params[f] = words(str(ps))

@empty@
identifier f;
position p;
@@
f@p(...) { }

@script:python@
p << empty.p;
f << empty.f;
@@
of(p).empty.add(f)

@call@
identifier f;
position p;
@@
f@p(...)

@script:python@
p << call.p;
f << call.f;
@@
of(p).calls.setdefault(p[0].current_element, set()).add(f)

@assign@
identifier v;
expression e;
position p;
@@
v@p = e

@script:python@
p << assign.p;
v << assign.v;
e << assign.e;
@@
value(p, v, e)

// What they reserve and release, and their loops

@region@
expression e;
position p;
@@
(
bitmap_find_free_region@p(..., e)
|
bitmap_allocate_region@p(..., e)
)

@script:python@
p << region.p;
e << region.e;
@@
fact(p, 'region', e)

@area@
expression m, s, a, n, mask;
position p;
@@
(
bitmap_find_next_zero_area@p(m, s, a, n, mask)
|
bitmap_find_next_zero_area_off@p(m, s, a, n, mask, ...)
)

@script:python@
p << area.p;
n << area.n;
mask << area.mask;
@@
fact(p, 'area', n + ' ; ' + mask)

@parent@
expression d, v, e, a;
position p;
@@
irq_domain_alloc_irqs_parent@p(d, v, e, a)

@script:python@
p << parent.p;
e << parent.e;
@@
fact(p, 'parent', e)

@release@
expression e;
position p;
@@
bitmap_release_region@p(..., e)

@script:python@
p << release.p;
e << release.e;
@@
fact(p, 'release', e)

@clear@
expression e;
position p;
@@
bitmap_clear@p(..., e)

@script:python@
p << clear.p;
e << clear.e;
@@
fact(p, 'clear', e)

@round@
position p;
@@
\(get_count_order@p\|order_base_2@p\|roundup_pow_of_two@p\|__roundup_pow_of_two@p\)(...)

@script:python@
p << round.p;
@@
fact(p, 'round')

@loop@
expression e, n;
identifier i;
type T;
statement S;
position p;
@@
(
for (...; i@p < n; ...) S
|
for (T i = e; i@p < n; ...) S
)

@script:python@
p << loop.p;
n << loop.n;
@@
fact(p, 'loop', n)

// What the callbacks think of nr_irqs

@alloc_param@
identifier alloc.f, d, v, n, a;
type D, V, N, A;
@@
f(D d, V v, N n, A a) { ... }

@refuses@
identifier alloc_param.n, alloc.f;
position p;
@@
f(...) {
... when any
if@p (\(n > 1\|n != 1\|WARN_ON(n != 1)\|WARN_ON_ONCE(n != 1)\) || ...) { ... return ...; }
... when any
}

@script:python@
p << refuses.p;
@@
fact(p, 'refuses')

@warns@
identifier alloc_param.n;
position p;
@@
\(WARN_ON@p\|WARN_ON_ONCE@p\)(n != 1)

@script:python@
p << warns.p;
@@
fact(p, 'warns')

@free_param@
identifier free.f, d, v, n;
type D, V, N;
@@
f(D d, V v, N n) { ... }

@one@
identifier free_param.n;
position p;
@@
(
n@p != 1
|
n@p == 1
|
n@p > 1
)

@script:python@
p << one.p;
@@
fact(p, 'one')

@one_if@
identifier free_param.n;
statement S;
position p;
@@
if (n@p) S

@script:python@
p << one_if.p;
@@
fact(p, 'one')

@unused@
identifier free_param.n;
position p;
@@
(
irq_domain_free_irqs_common(..., n@p)
|
irq_domain_free_irqs_parent(..., n@p)
|
irq_domain_free_irqs_top(..., n@p)
|
pr_debug(..., n@p, ...)
)

@range@
identifier free_param.n;
position p != unused.p;
@@
n@p

@script:python@
p << range.p;
@@
fact(p, 'range')

// Whose domains set the flag

@flag_info@
identifier i, o;
position p;
@@
struct irq_domain_info i@p = { .ops = &o, .domain_flags = <+... IRQ_DOMAIN_FREE_BULK ...+>, };

@script:python@
p << flag_info.p;
o << flag_info.o;
@@
of(p).flagged.add(o)

@flag_field@
expression e;
identifier m;
@@
e->m = <+... IRQ_DOMAIN_FREE_BULK ...+>

@flag_info_field@
identifier i, o, flag_field.m;
expression e;
position p;
@@
struct irq_domain_info i@p = { .ops = &o, .domain_flags = e->m, };

@script:python@
p << flag_info_field.p;
o << flag_info_field.o;
@@
of(p).flagged.add(o)

@flag_call@
identifier o;
position p;
@@
\(irq_domain_create_hierarchy@p\|acpi_irq_create_hierarchy@p\)
	(..., <+... IRQ_DOMAIN_FREE_BULK ...+>, ..., &o, ...)

@script:python@
p << flag_call.p;
o << flag_call.o;
@@
of(p).flagged.add(o)

@flag_call_field@
expression e;
identifier o, flag_field.m;
position p;
@@
irq_domain_create_hierarchy@p(..., e->m, ..., &o, ...)

@script:python@
p << flag_call_field.p;
o << flag_call_field.o;
@@
of(p).flagged.add(o)

// Set afterwards, the domains that are on top by then have not inherited it.

@flag_later exists@
expression d, e;
identifier f, o, flag_field.m;
position p;
@@
d = f@p(..., &o, ...)
... when != \(pci_msi_create_irq_domain\|platform_msi_create_irq_domain\)(...)
    when any
(
d->flags |= <+... IRQ_DOMAIN_FREE_BULK ...+>
|
d->flags |= e->m
)

@script:python@
p << flag_later.p;
o << flag_later.o;
@@
of(p).flagged.add(o)

// The end

@script:python depends on report@
p << ops.p;
o << ops.o;
@@
say_report(p, o)

@script:python depends on report@
p << assigned_free.p;
@@
say_report(p, p[0].current_element + '()')

@script:python depends on org@
p << ops.p;
o << ops.o;
@@
say_org(p, o)

@script:python depends on org@
p << assigned_free.p;
@@
say_org(p, p[0].current_element + '()')
