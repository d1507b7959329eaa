//! Gafaelfawr user information, found through Repertoire.
