module postern.test/httputil

go 1.22
