"""Name the settings that others call otherwise.

Who comes from the beats or lumberjack input of Logstash, or from a Beat, writes
what was right there. Such a key is an error like any unknown one; what to write
instead stands in its place.
"""

from collections.abc import Mapping

__all__ = ["MOVED", "RENAMED"]

MOVED: Mapping[str, tuple[str, str]] = {
    # Logstash: inputs beats and lumberjack
    "host": ("listeners.address", "Host and port are one: 0.0.0.0:5044."),
    "port": ("listeners.address", "Host and port are one: 0.0.0.0:5044."),
    "ssl_certificate": ("listeners.ssl.certificate", ""),
    "ssl_key": ("listeners.ssl.key", ""),
    "ssl_certificate_authorities": ("listeners.ssl.certificate_authorities", ""),
    "ssl_client_authentication": ("listeners.ssl.client_authentication", ""),
    "ssl_verify_mode": (
        "listeners.ssl.client_authentication",
        "force_peer is required, peer is optional.",
    ),
    "verify_mode": (
        "listeners.ssl.client_authentication",
        "force_peer is required, peer is optional.",
    ),
    "ssl_supported_protocols": ("listeners.ssl.supported_protocols", ""),
    "tls_min_version": (
        "listeners.ssl.supported_protocols",
        "Name all versions: [TLSv1.2, TLSv1.3].",
    ),
    "tls_max_version": (
        "listeners.ssl.supported_protocols",
        "Name all versions: [TLSv1.2, TLSv1.3].",
    ),
    "ssl_handshake_timeout": (
        "listeners.ssl.handshake_timeout",
        "It is in seconds; limits.handshake_seconds is that of all listeners.",
    ),
    "ssl_cipher_suites": ("listeners.ssl.cipher_suites", ""),
    "cipher_suites": ("listeners.ssl.cipher_suites", ""),
    "ssl_key_passphrase": (
        "listeners.ssl.key_passphrase_file",
        "Secrets stand in files.",
    ),
    "key_passphrase": (
        "listeners.ssl.key_passphrase_file",
        "Secrets stand in files.",
    ),
    "client_inactivity_timeout": (
        "limits.first_byte_seconds",
        "It bounds a connection that never sends; one that is idle later stays.",
    ),
    "ssl_peer_metadata": (
        "elasticsearch.sender_fields",
        "The sender's name is in every seal; this shows it in events, too.",
    ),
    "enrich": (
        "elasticsearch.sender_fields",
        "The sender's name is in every seal; this shows it in events, too.",
    ),
    "ssl_enabled": ("listeners.ssl", "With certificate and key, TLS is on."),
    # Beats: all but the output
    "name": ("signer", ""),
    "path": ("state", "It is the folder of keys and journal."),
    "queue": ("sealing.journal_bytes", "What is sealed and not stored waits there."),
    "monitoring": ("http.address", ""),
    "output": ("elasticsearch", "output.elasticsearch.hosts is elasticsearch.hosts."),
    "setup": (
        "elasticsearch.index_templates",
        "`beats-signer setup` makes templates and policies.",
    ),
    # The output elasticsearch of both
    "api_key": ("elasticsearch.api_key_file", "Secrets stand in files."),
    "password": ("elasticsearch.password_file", "Secrets stand in files."),
    "user": ("elasticsearch.username", ""),
    "index": ("routing.target", ""),
    "pipeline": ("routing.rules.pipeline", ""),
    "protocol": ("elasticsearch.hosts", "It is part of them: https://host:9200."),
    "bulk_max_size": ("elasticsearch.max_body_bytes", "It counts bytes."),
    "worker": ("elasticsearch.in_flight", ""),
    "workers": ("elasticsearch.in_flight", ""),
    "timeout": ("elasticsearch.timeout_seconds", ""),
    "ssl_verification_mode": ("elasticsearch.ssl.verification_mode", ""),
    "ca_trusted_fingerprint": (
        "elasticsearch.ssl.certificate_fingerprint",
        "It is that of the server's own certificate.",
    ),
    "ilm": ("elasticsearch.lifecycle", ""),
}
"""By the key elsewhere: the setting here, and what is different about it."""

_GONE: Mapping[str, str] = {
    "include_codec_tag": "Events are sealed as they come: nothing is added to them.",
    "add_hostname": "Events are sealed as they come: nothing is added to them.",
    "add_field": "Events are sealed as they come: nothing is added to them.",
    "tags": "Events are sealed as they come: nothing is added to them.",
    "codec": "Events are sealed as they come; an ingest pipeline can take them apart.",
    "target_field_for_codec": "Events are sealed as they come; an ingest pipeline can "
    "take them apart.",
    "processors": "Events are sealed as they come; a Beat or an ingest pipeline can "
    "change them.",
    "filebeat": "A Beat reads files; this program receives what it sends.",
    "congestion_threshold": "Nothing is turned away when the store is slow: senders "
    "wait and are told so.",
    "executor_threads": "There are no threads to be set.",
    "event_loop_threads": "There are no threads to be set.",
    "compression_level": "Requests are always compressed.",
}
"""By the key elsewhere: why there is none here."""

RENAMED: Mapping[str, str] = {
    key: f"It is {place} here. {note}".strip() for key, (place, note) in MOVED.items()
} | dict(_GONE)
"""By the key elsewhere: what to do here, as an error says it."""
