//! What the transport promises about connections, each promise for each kind of connection that it
//! has a meaning for. Nothing here depends on which pool keeps them.
#![allow(
    clippy::future_not_send,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod ended;
mod http2;
mod kept;
mod kind;
#[path = "../../../../tests/support/log.rs"]
mod log;
mod peer;
mod proxy;
mod reach;
mod waiting;

/// A module for each promise, with a test for each kind.
macro_rules! contracts {
    ($file:ident: $($contract:ident)+; $kinds:tt) => {
        $(contracts!(@ $file $contract $kinds);)+
    };
    (@ $file:ident $contract:ident [$($test:ident = $kind:ident)+]) => {
        mod $contract {
            $(
                #[tokio::test]
                async fn $test() {
                    crate::$file::$contract(crate::kind::Kind::$kind).await;
                }
            )+
        }
    };
}

macro_rules! for_every_kind {
    ($file:ident: $($contract:ident)+) => {
        contracts! {
            $file: $($contract)+;
            [
                http1 = Plain tls = Tls http2 = Http2 http2_plain = Http2Plain proxy = Proxy tunnel = Tunnel
                http2_tunnel = Http2Tunnel
            ]
        }
    };
}

macro_rules! for_http1 {
    ($file:ident: $($contract:ident)+) => {
        contracts! { $file: $($contract)+; [http1 = Plain tls = Tls proxy = Proxy tunnel = Tunnel] }
    };
}

macro_rules! for_http2 {
    ($file:ident: $($contract:ident)+) => {
        contracts! {
            $file: $($contract)+;
            [http2 = Http2 http2_plain = Http2Plain http2_tunnel = Http2Tunnel]
        }
    };
}

macro_rules! for_proxies {
    ($file:ident: $($contract:ident)+) => {
        contracts! {
            $file: $($contract)+;
            [proxy = Proxy tunnel = Tunnel http2_tunnel = Http2Tunnel]
        }
    };
}

for_every_kind! { kept:
    a_fully_read_answer_is_reused
    a_connection_made_ahead_is_used
    an_answer_without_a_body_leaves_the_connection_in_step
    an_empty_stream_that_is_not_read_keeps_the_connection
    different_origins_do_not_share
    an_idle_one_is_evicted_in_time
    the_idle_time_begins_with_the_last_answer
    an_observer_learns_which_are_idle
    an_active_body_outlives_the_idle_limit
    an_old_one_is_retired
    limits_of_for_ever_are_taken_at_their_word
}

for_every_kind! { ended:
    a_stale_idle_one_is_replaced_unseen
    what_must_not_be_doubled_is_not_sent_again
    a_clean_end_before_the_head_is_retryable
    a_clean_end_within_the_body_fails_only_the_body
    a_reset_is_another_error_at_each_moment
    an_unresolvable_name_fails_before_connecting
    a_read_timeout_is_a_timeout
    a_poisoned_one_is_not_reused
    a_call_that_is_dropped_at_any_await_leaves_nothing
    one_made_ahead_that_is_dropped_at_any_await_leaves_nothing
    a_dead_one_costs_a_call_one_attempt
}

// One request at a time. In HTTP/2 each has a stream, and what happens to it does not concern the
// connection; its header `connection` has no meaning (RFC 9113, 8.2.2).
for_http1! { kept:
    connection_close_is_obeyed
    an_unread_rest_retires_the_connection
    a_held_body_lets_a_second_one_open
    a_request_under_way_lets_a_second_one_open
    no_more_idle_ones_are_kept_than_allowed
    unrequested_bytes_retire_the_connection
}

// With HTTP/2 an end while streams are open says nothing of how long the connection was idle.
for_http1! { ended:
    a_stale_one_that_takes_a_request_is_replaced_unseen
}

// The counterparts of those for one request at a time.
for_http2! { kept:
    an_unread_rest_leaves_the_connection_to_others
    a_held_body_lets_others_share
}

for_http2! { ended:
    a_call_that_is_dropped_at_once_leaves_the_connection_to_others
}

// Only HTTP/2 has streams, pings and GOAWAY.
for_http2! { http2:
    a_cold_burst_converges_on_one_connection
    one_that_goes_away_keeps_its_streams_and_is_replaced
    a_request_that_one_going_away_did_not_take_may_have_been_sent
    a_stream_reset_keeps_the_connection
    a_slow_answer_among_others_keeps_the_connection
    a_silent_one_keeps_its_streams_and_is_replaced
    short_attempts_in_vain_add_up
    a_brief_request_beside_a_silent_one_keeps_the_connection
    requests_that_begin_break_no_silence
    time_between_attempts_is_no_silence
    work_of_the_caller_is_no_silence
    ping_loss_closes_it
    pings_are_sent_only_while_an_answer_is_awaited
}

// Where a handshake holds up a connection that is being made.
contracts! {
    waiting: a_half_made_one_whose_request_is_given_up_goes_to_one_that_waits;
    [tls = Tls http2 = Http2 tunnel = Tunnel http2_tunnel = Http2Tunnel]
}

contracts! {
    waiting: one_that_is_given_to_a_dropped_request_goes_to_the_next;
    [tls = Tls tunnel = Tunnel]
}

// Without a tunnel, a proxy's refusal looks like the server's.
contracts! { proxy: a_proxy_refuses; [tunnel = Tunnel http2_tunnel = Http2Tunnel] }

for_proxies! { proxy:
    a_proxy_closes
    a_proxy_asks_for_credentials
}

// A proxy that is asked for the whole URL speaks HTTP/2 with the server, or does not.
contracts! { proxy: a_proxy_is_asked_by_http1_whatever_its_servers_speak; [proxy = Proxy] }

mod the_runtime_that_made_it_is_gone {
    use crate::kept::the_runtime_that_made_it_is_gone;
    use crate::kind::Kind;

    #[test]
    fn in_every_kind() {
        for kind in [
            Kind::Plain,
            Kind::Tls,
            Kind::Http2,
            Kind::Http2Plain,
            Kind::Proxy,
            Kind::Tunnel,
            Kind::Http2Tunnel,
        ] {
            the_runtime_that_made_it_is_gone(kind);
        }
    }
}
