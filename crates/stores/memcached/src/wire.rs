//! The meta commands of Memcached, one exchange at a time.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use vouchsafe_core::SecretBytes;
use vouchsafe_core::store::Broken;

/// The maximum size of an item; Memcached takes 1 MiB with its own header by default.
pub(crate) const LARGEST_ITEM: usize = (1 << 20) - (1 << 12);
/// Longer than any first line of an answer.
const LONGEST_LINE: u64 = 2048;

/// What the server answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Item {
        value: SecretBytes,
        /// The number by which the server tells this state from all others while it runs.
        cas: u64,
    },
    Missing,
    /// There is an item, or one with another number.
    Other,
}

/// Asks for an item.
pub(crate) fn get(name: &str) -> SecretBytes {
    SecretBytes::from(format!("mg {name} v c\r\n").into_bytes())
}

/// The state of an item that a write is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    Any,
    Missing,
    Number(u64),
}

/// Writes an item in two parts.
pub(crate) fn set(name: &str, over: Over, parts: [&[u8]; 2]) -> SecretBytes {
    let length = parts[0].len() + parts[1].len();
    let line = match over {
        Over::Any => format!("ms {name} {length}\r\n"),
        Over::Missing => format!("ms {name} {length} ME\r\n"),
        Over::Number(cas) => format!("ms {name} {length} C{cas}\r\n"),
    };
    // At its final size: growing would leave copies of the value in memory.
    let mut command = Vec::with_capacity(line.len() + length + 2);
    for part in [line.as_bytes(), parts[0], parts[1], b"\r\n"] {
        command.extend_from_slice(part);
    }
    SecretBytes::from(command)
}

/// Removes an item.
pub(crate) fn delete(name: &str, cas: Option<u64>) -> SecretBytes {
    let of = cas.map(|cas| format!(" C{cas}")).unwrap_or_default();
    SecretBytes::from(format!("md {name}{of}\r\n").into_bytes())
}

/// Logs in, as the first command on a connection.
pub(crate) fn login(name_and_password: &[u8]) -> SecretBytes {
    let length = name_and_password.len();
    let line = format!("set login 0 0 {length}\r\n");
    SecretBytes::from([line.as_bytes(), name_and_password, b"\r\n"].concat())
}

/// Sends a command, and reads the answer. After an error the connection is of no more use.
pub(crate) async fn exchange<S>(stream: &mut S, command: &SecretBytes) -> Result<Answer, Broken>
where
    S: AsyncBufRead + AsyncRead + AsyncWrite + Unpin,
{
    let lost = |cause| Broken::connection("the connection was lost").with_source(cause);
    stream.write_all(command.expose()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut line = Vec::new();
    let mut limited = (&mut *stream).take(LONGEST_LINE);
    limited.read_until(b'\n', &mut line).await.map_err(lost)?;
    let line = std::str::from_utf8(&line).ok();
    let line = line.and_then(|line| line.strip_suffix("\r\n"));
    let line = line.ok_or_else(|| Broken::connection("the connection was closed"))?;
    let (code, rest) = line.split_once(' ').unwrap_or((line, ""));
    match code {
        "HD" | "STORED" => Ok(Answer::Done),
        "EN" | "NF" => Ok(Answer::Missing),
        "NS" | "EX" => Ok(Answer::Other),
        "VA" => {
            let foreign = || Broken::connection("what answers does not speak Memcached's protocol");
            let mut words = rest.split(' ');
            let length: usize = words
                .next()
                .and_then(|word| word.parse().ok())
                .filter(|&length| length <= LARGEST_ITEM)
                .ok_or_else(foreign)?;
            let cas = words.find_map(|word| word.strip_prefix('c')?.parse().ok());
            let mut value = vec![0; length + 2];
            stream.read_exact(&mut value).await.map_err(lost)?;
            if !value.ends_with(b"\r\n") {
                return Err(foreign());
            }
            value.truncate(length);
            let value = SecretBytes::from(value);
            let cas = cas.ok_or_else(foreign)?;
            Ok(Answer::Item { value, cas })
        }
        _ => Err(refused(code, rest)),
    }
}

/// Errors of the server repeat no part of a command.
fn refused(code: &str, rest: &str) -> Broken {
    match code {
        "SERVER_ERROR" if rest.contains("too large") => {
            Broken::refused("the record is too large for the server; see its option -I")
        }
        "SERVER_ERROR" => Broken::for_now(format!("the server cannot do it now: {rest}")),
        "CLIENT_ERROR" if rest.contains("auth") => {
            Broken::refused("the server refused the user or the password, or wants them")
        }
        "ERROR" => {
            Broken::refused("the server does not know meta commands: it must be 1.6 or later")
        }
        "CLIENT_ERROR" => Broken::refused(format!("the server refused the command: {rest}")),
        _ => Broken::connection("what answers does not speak Memcached's protocol"),
    }
}
