# Needs Python 3.11 or newer. Everything else goes into .venv, from the lock file.
PYTHON ?= python3
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test check bench test-peers test-elasticsearch test-pages test-slow fuzz lock clean

demo: $(READY)         ## Run the whole main job once, and show it
	$(BIN)/python tools/demo.py

test: $(READY)         ## Run the tests; needs Python only
	$(BIN)/pytest -q -m "not peers and not elasticsearch and not pages and not slow"

check: $(READY)        ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(READY)        ## Measure what an event costs
	$(BIN)/python -m tools.bench

test-peers: $(READY)   ## Test against real senders; needs node, npm and go, then mvn and javac
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/peers/install.sh
	$(BIN)/pytest -q -m "peers and not slow" tests/peers tests/end_to_end

test-elasticsearch: $(READY)  ## Test against ELASTICSEARCH_URL, else mvn and javac bring a server
	$(BIN)/pytest -q -m "elasticsearch and not slow"

test-pages: $(READY)   ## Test the pages in a browser; needs chromium
	$(BIN)/pytest -q -m pages tests/pages

test-slow: $(READY)    ## Run the long campaigns
	$(BIN)/pytest -q -m slow

fuzz: $(READY)         ## Fuzz every parser with atheris, for SECONDS in all
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --require-hashes --no-deps -r requirements-fuzz.lock
	$(BIN)/python -m tools.fuzz $(SECONDS)

lock: $(READY)         ## Write the lock file anew, with the newest versions
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --upgrade \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --group fuzz --upgrade \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  -o requirements-fuzz.lock

clean:                 ## Remove everything that these targets made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "beats-signer needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation -e .
	@touch $(READY)
