// A server of HTTPS, which answers with what it knows about the connection: the versions of HTTP and
// TLS, `r` if the session was resumed and `.` if not, and the name of the client in its certificate.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	address := flag.String("listen", "", "the address")
	folder := flag.String("folder", "", "where the certificates are")
	newest := flag.Bool("tls13", false, "whether TLS 1.3 is spoken rather than 1.2")
	verify := flag.Bool("verify", false, "whether clients need a certificate")
	flag.Parse()

	version := uint16(tls.VersionTLS12)
	if *newest {
		version = tls.VersionTLS13
	}
	config := &tls.Config{MinVersion: version, MaxVersion: version}
	if *verify {
		root, err := os.ReadFile(filepath.Join(*folder, "root.crt"))
		if err != nil {
			log.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(root)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	answer := func(w http.ResponseWriter, r *http.Request) {
		resumed, client := ".", "NONE"
		if r.TLS.DidResume {
			resumed = "r"
		}
		if len(r.TLS.PeerCertificates) > 0 {
			client = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		fmt.Fprintln(w, r.Proto, tls.VersionName(r.TLS.Version), resumed, client)
	}
	server := http.Server{Addr: *address, Handler: http.HandlerFunc(answer), TLSConfig: config}
	in := func(name string) string { return filepath.Join(*folder, name) }
	log.Fatal(server.ListenAndServeTLS(in("chain.crt"), in("chain.key")))
}
