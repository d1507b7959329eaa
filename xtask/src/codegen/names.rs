//! Names in the styles of Rust.

/// Writes a name as `snake_case`; a keyword becomes a raw identifier.
pub(crate) fn snake(name: &str) -> String {
    let snake = words(name).join("_");
    let snake = if snake.starts_with(|first: char| first.is_ascii_digit()) {
        format!("n{snake}")
    } else {
        snake
    };
    match snake.as_str() {
        "self" | "super" | "crate" => format!("{snake}_"),
        text if syn::parse_str::<syn::Ident>(text).is_err() => format!("r#{snake}"),
        _ => snake,
    }
}

/// Writes a name as `PascalCase`.
pub(crate) fn pascal(name: &str) -> String {
    let pascal: String = words(name)
        .iter()
        .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
        .collect();
    match pascal.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("V{pascal}"),
        Some(_) if pascal == "Self" => "SelfValue".to_owned(),
        Some(_) => pascal,
    }
}

/// Writes a name as `SCREAMING_CASE`.
pub(crate) fn screaming(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// Splits a name by case and punctuation; the words are in lower case.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || after.is_some_and(char::is_ascii_lowercase)
            });
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_by_case_and_punctuation() {
        for (name, snaked, pascaled) in [
            ("getOwnUserInfo", "get_own_user_info", "GetOwnUserInfo"),
            ("X-Original-URL", "x_original_url", "XOriginalUrl"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("type", "r#type", "Type"),
            ("self", "self_", "SelfValue"),
            ("2fa", "n2fa", "V2fa"),
            ("user:token", "user_token", "UserToken"),
        ] {
            assert_eq!(snake(name), snaked);
            assert_eq!(pascal(name), pascaled);
        }
        assert_eq!(screaming("getUserInfo"), "GET_USER_INFO");
    }
}
