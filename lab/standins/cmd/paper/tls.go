package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"path/filepath"
	"sync"
	"time"
)

const (
	handshake = 0x16             // the first byte of a ClientHello (RFC 8446, 5.1)
	patience  = 10 * time.Second // for a client's first byte
	valid     = 24 * time.Hour
)

// Either tells connections that begin with a ClientHello from those in the clear.
type Either struct {
	net.Listener
	Config *tls.Config // nil: everything is in the clear
}

// Accept wraps the connection: what it begins with is not waited for here, where others would wait for it, too.
func (e *Either) Accept() (net.Conn, error) {
	accepted, err := e.Listener.Accept()
	if err != nil || e.Config == nil {
		return accepted, err
	}
	return &conn{Conn: accepted, config: e.Config}, nil
}

type conn struct {
	net.Conn
	config *tls.Config
	once   sync.Once
	inner  net.Conn
}

func (c *conn) begun() net.Conn {
	c.once.Do(func() {
		reader := bufio.NewReader(c.Conn)
		_ = c.Conn.SetReadDeadline(time.Now().Add(patience))
		first, err := reader.Peek(1)
		_ = c.Conn.SetReadDeadline(time.Time{})
		c.inner = &peeked{c.Conn, reader}
		if err == nil && first[0] == handshake {
			c.inner = tls.Server(c.inner, c.config)
		}
	})
	return c.inner
}

func (c *conn) Read(data []byte) (int, error)  { return c.begun().Read(data) }
func (c *conn) Write(data []byte) (int, error) { return c.begun().Write(data) }

type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(data []byte) (int, error) { return p.reader.Read(data) }

// Signer issues certificates by the lab's authority for things on paper, each for the name that a client asks for.
type Signer struct {
	authority tls.Certificate
	parsed    *x509.Certificate
	key       *ecdsa.PrivateKey
	issued    sync.Map // name -> *tls.Certificate
}

// NewSigner reads the authority from a folder.
func NewSigner(folder string) (*Signer, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "ca.crt"), filepath.Join(folder, "ca.key"))
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &Signer{authority: pair, parsed: pair.Leaf, key: key}, err
}

// Config is nil without an authority.
func (s *Signer) Config() *tls.Config {
	if s == nil {
		return nil
	}
	return &tls.Config{GetCertificate: s.certificate}
}

func (s *Signer) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
	}
	if known, found := s.issued.Load(name); found {
		return known.(*tls.Certificate), nil
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	wanted := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "on paper"},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(valid),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if address := net.ParseIP(name); address != nil {
		wanted.IPAddresses = []net.IP{address}
	} else {
		wanted.DNSNames = []string{name}
	}
	signed, err := x509.CreateCertificate(rand.Reader, wanted, s.parsed, s.key.Public(), s.authority.PrivateKey)
	if err != nil {
		return nil, err
	}
	made := &tls.Certificate{Certificate: append([][]byte{signed}, s.authority.Certificate...), PrivateKey: s.key}
	s.issued.Store(name, made)
	return made, nil
}
