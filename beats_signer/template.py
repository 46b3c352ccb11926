"""Write the configuration that a new signer begins with.

Every setting is in it: those that a signer needs as they are, all others as
comments with their defaults; what has no default is an example. A test reads
the comments back and compares them with the declarations in ``config``.
"""

__all__ = ["build_configuration"]

_SIGNER = """\
# Configuration of beats-signer. Paths are relative to this file; times are in
# seconds, sizes in bytes. What is commented out shows the default. An unknown
# key is an error. Keys may have dots: ssl.key: x is ssl: {{key: x}}. ${{NAME}} and
# ${{NAME:default}} take a value from the environment. Files conf.d/*.yml beside this
# one are laid over it in order of their names. See `beats-signer test config`.

# Name of this signer. It is in the name of every chain: never change it.
signer: "{signer}"

# Keys and journal. Never put this folder into a backup, a snapshot or an image:
# an old copy of the keys can sign what this signer has not sealed.
state: state

# All events and seals. Back up this file as you like. Not used with Elasticsearch.
archive: archive.db

# Where Beats and Logstash connect. Beats expect a receiver on port 5044.
listeners:
"""

_PLAIN_LISTENER = """\
  # Plain text, and senders without identity: only for programs on this host.
  - address: 127.0.0.1:5044
    # TLS, in the words of Beats; client_authentication: none, optional, required.
    # ssl:
    #   certificate: tls/server.crt
    #   key: tls/server.key
    #   certificate_authorities: [tls/ca.crt]
    #   client_authentication: required
    #   supported_protocols: [TLSv1.2, TLSv1.3]
    #   cipher_suites: []
    #   handshake_timeout: null
    #   key_passphrase_file: null
    #   certificate_revocation_lists: []
    #   expired_revocation_lists: refuse
    # proxy_protocol:           # of proxies in front, which tell senders' addresses
    #   trusted: [10.0.0.4]
"""

_TLS_LISTENER = """\
  - address: 0.0.0.0:5044
    # Certificates to begin with, valid for a year. Their authority's key was not
    # kept: replace all of them together by those of your own authority.
    ssl:
      certificate: tls/server.crt
      key: tls/server.key
      # A sender is known by the name in its certificate: URI, DNS name, or CN.
      certificate_authorities: [tls/ca.crt]
      client_authentication: required     # none, optional, required
      # supported_protocols: [TLSv1.2, TLSv1.3]
      # cipher_suites: []                 # of TLS 1.2; []: those of OpenSSL
      # handshake_timeout: null           # seconds; null: limits.handshake_seconds
      # key_passphrase_file: null         # where the key has a passphrase
      # certificate_revocation_lists: []  # of these authorities, PEM
      # expired_revocation_lists: refuse    # or accept: go on with the old list
    # proxy_protocol:           # of proxies in front, which tell senders' addresses
    #   trusted: [10.0.0.4]
"""

_REST = """\

# What is known of senders, and who may send.
#senders:
#  names: [uri, dns, cn]          # where in a certificate a name stands, in order
#  tenant_from: routing           # or organization: that of the certificate
#  host_names: ignore             # of events that are others: warn, or refuse
#  allow: null                    # null: whom the listener accepts; []: nobody
#  allow_file: null               # the same list in a file of its own

# An example: nobody but these. The first item that matches counts.
## senders:
##   allow:
##     - name: "*.acme.example.com"   # in a certificate; * stands for anything
##       tenant: acme
##     - name: "web-?"                # one character
##     - address: 10.0.0.5            # senders without a certificate: a network

# Status of the running signer, for `beats-signer status`. It names senders.
#http:
#  address: 127.0.0.1:9600

# What the log tells: debug, info, warning or error, and what is above.
#logging:
#  level: info

# Elasticsearch as the store, instead of the archive: take away the ## and run
# `beats-signer setup`. Lines with ## are examples, lines with # are defaults.
## elasticsearch:
##   hosts: ["https://localhost:9200"]
##   api_key_file: es.key               # or username: and password_file:
##   username: null
##   password_file: null
##   allow_plain_http: false            # send them over http to another host
##   ssl:
##     certificate_authorities: [tls/es-ca.crt]
##     certificate_fingerprint: null    # SHA-256 of the server's own certificate
##     certificate: null                # of this client, with key
##     key: null
##     verification_mode: full          # full, certificate, none
##   timeout_seconds: 90                # longer than the server's own 60
##   grace_seconds: 5                   # no trust in conflicts after a time-out
##   in_flight: 4                       # requests on their way, at most
##   max_body_bytes: 8388608            # of one request, before compression
##   bare_share: 0.05                   # bare documents that degrade health
##   sender_fields: false               # show the sender's name and address
##   lifecycle: ilm                     # ilm, data_stream, none
##   template_priority: 1000            # of index templates
##   index_templates: true              # made by setup for each target
##   indices: []                        # targets that are no data streams
##   derived: []                        # fields that ingest pipelines change
##   replicas: null                     # of seals and catalogue; null: the server's
##   accept: []                         # checks at start that may fail

# The chain that events go to. Without rules there is one.
#routing:
#  tenant: default
#  stream: generic
#  target: "logs-{stream}-{tenant}"     # data stream or index in Elasticsearch
#  max_chains: 1000                     # what would need more goes to the stream above
#  tenants: []
#  rules: []                            # the first that applies counts

# An example: a chain for each data set of nginx, and what senders ask for.
## routing:
##   tenants:
##     - senders: ["*.acme.example.com"]
##       tenant: acme
##   rules:
##     - when:
##         tenants: [acme]
##         fields: {event.module: [nginx]}
##       stream: "{data_stream.dataset}"
##       retention_days: 90
##     - when:
##         senders: ["web-*"]
##       stream: web
##       tenant: acme
##       target: "{@metadata.index}"
##       targets: ["filebeat-*"]        # which ones a sender may name
##       pipeline: "{@metadata.pipeline}"

# Days after which an event may be gone; null: never.
#retention_days: null

# How long a stop waits for open windows. Beats send again after 30.
#drain_seconds: 25

# How events are gathered into seals.
#sealing:
#  max_entries: 16384             # events of one seal, at most 65536
#  max_bytes: 33554432            # payload bytes of one seal
#  linger_seconds: 0.001          # how long a seal waits for more, when idle
#  in_flight: 4                   # seals of one chain on their way to the store
#  journal_bytes: 2147483648      # sealed bytes that may wait for the store

# How often the signer shows that it lives. Verifiers judge silence by it.
#catalogue:
#  head_seconds: 60
#  heartbeat_seconds: 60

# What senders may take up.
#limits:
#  read_ahead_windows: 4          # unacknowledged windows of one connection
#  memory_bytes: 268435456        # received bytes of all connections together
#  connections: 8192              # in all; who comes then is turned away
#  connections_per_sender: 1024   # of one certificate's name, or of one address
#  handshakes_per_second: 50      # of TLS, that one address may begin
#  handshake_seconds: 10
#  first_byte_seconds: 60
#  window_seconds: 60             # from the first byte of a window to its last
#  write_seconds: 30              # until a sender has taken an acknowledgement
#  keepalive_seconds: 5           # 1 to 15; Beats give up after 30 of silence
#  window_events: 65536
#  window_bytes: 134217728        # payload bytes of one window
#  compressed_bytes: 67108864     # one compressed frame as received
#  compressed_frames: 131072      # frames in a compressed frame
#  inflated_bytes: 104857600      # one compressed frame when inflated
#  inflate_ratio: 500             # judged above 8 MiB inflated
#  json_bytes: 33554432           # one event
#  pairs: 1024                    # of one event of the old form
#  item_bytes: 33554432           # one key or value of the old form
#  pairs_bytes: 33554432          # all pairs of one event of the old form
"""


def build_configuration(signer: str, *, tls: bool) -> str:
    """Return the text of a configuration file for a signer of this name.

    Args:
        signer: A valid name.
        tls: Whether the listener uses the certificates of ``init --tls`` and is
            open to other hosts, or speaks plain text to this host alone.
    """
    listener = _TLS_LISTENER if tls else _PLAIN_LISTENER
    return _SIGNER.format(signer=signer) + listener + _REST
