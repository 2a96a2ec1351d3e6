# The recipes of this workspace. `./just` lists them; each does the set-up it needs.
# A just of your own works as well, from 1.35 on: `just dev`.

set positional-arguments

python := env("PYTHON", "python3")
venv := if os_family() == "windows" { ".venv/Scripts/python" } else { ".venv/bin/python" }

# List the recipes
[private]
default:
    @{{ just_executable() }} --justfile "{{ justfile() }}" --list --unsorted

# Start core, backend and UI on this machine, and print one URL (Ctrl-C leaves nothing)
[group('develop')]
[no-exit-message]
dev *arguments: setup
    @exec {{ venv }} -m tools.dev "$@"

# Start core, plugin and the remote's server in containers: `up [prometheus] [grafana]`
[group('develop')]
[no-exit-message]
up *arguments: setup
    @{{ venv }} -m tools.compose up "$@"

# End what `up` has started; `down --data` forgets the stored data too
[group('develop')]
[no-exit-message]
down *arguments: setup
    @{{ venv }} -m tools.compose down "$@"

# Deliver an invented world to the plugin of `dev`: `seed --profile demo --seed 7 --faults all`
[group('develop')]
[no-exit-message]
seed *arguments: setup
    @exec {{ venv }} -m tools.seed "$@"

# Install what is missing: Python packages, Node, pnpm, Node packages
[group('develop')]
[no-exit-message]
setup:
    @{{ python }} -m tools.setup

# Say what this machine has, what it lacks, and the remedy
[group('develop')]
[no-exit-message]
doctor:
    @{{ python }} -m tools.doctor

# Format the code, and apply the linters' safe fixes
[group('develop')]
[no-exit-message]
fmt: setup
    @{{ venv }} -m tools.fmt

# Write the Python locks again from requirements/*.in, keeping what still fits
[group('develop')]
[no-exit-message]
lock *arguments: setup
    @{{ venv }} -m tools.lock "$@"

# Write the pages that follow from the code: errors, settings, limits
[group('develop')]
[no-exit-message]
docs *arguments: setup
    @{{ venv }} -m tools.docs "$@"

# Remove what was built and the data of `dev`; `clean all` removes what was installed too
[group('develop')]
clean what="built":
    @{{ python }} -m tools.clean "$1"

# Test what a newcomer needs to see green, in minutes: `test [layer…] [-- pytest arguments]`
[group('test')]
[no-exit-message]
test *arguments: setup
    @{{ venv }} -m tools.test "$@"

# Test everything, the slow parts too; `test-all --rest` leaves out what `test` has run
[group('test')]
[no-exit-message]
test-all *arguments: setup
    @{{ venv }} -m tools.test --all "$@"

# Measure against the bars: `bench` (2 million events, ten minutes), `bench full` (9 million, half an hour), `bench quick`
[group('test')]
[no-exit-message]
bench *arguments: setup
    @{{ venv }} -m bench "$@"

# Hold a running plugin against the contract: `contract URL`; `contract --help` knows other ways
[group('test')]
[no-exit-message]
contract *arguments: setup
    @{{ venv }} -m mosaiclife_plugin_contract run "$@"

# Look for faults without running the code: linters, types, import rules, formats, manifest
[group('test')]
[no-exit-message]
check *names: setup
    @{{ venv }} -m tools.check "$@"

# Build the remote and the development core's pages
[group('release')]
[no-exit-message]
build: setup
    @{{ venv }} -m tools.build

# Write what of the chart follows from the manifest and its values, and lint it
[group('release')]
[no-exit-message]
chart *arguments: setup
    @{{ venv }} -m tools.chart "$@"

# Build the images of plugin and core: `image [plugin] [core] [ui] [-- options of the engine]`
[group('release')]
[no-exit-message]
image *arguments: setup
    @{{ venv }} -m tools.image "$@"

# Print the plugin's version, or set it everywhere: `version 1.2.3`
[group('release')]
[no-exit-message]
version *number: setup
    @{{ venv }} -m tools.version "$@"

# Hold an installed release against what should run: `verify-release URL --core URL --bundle ui/dist`
[group('release')]
[no-exit-message]
verify-release *arguments: setup
    @{{ venv }} -m tools.verify_release "$@"

# Take the README's pictures again from the running house
[group('release')]
pictures: setup
    @{{ venv }} -m tools.pictures
