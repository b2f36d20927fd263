"""A page with every kind of field, to test the browsers by: what is posted is shown after a 303.

Run as a script with a port; not part of Suaka.
"""

import html
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

PAGE = """<!doctype html><html lang="id"><head><meta charset="utf-8"><title>Contoh</title>
<meta name="viewport" content="width=device-width"></head><body>
<header><form method="post" action="/keluar"><button>Kirim</button></form></header>
<main><h1>Formulir contoh</h1>
<form id="satu" method="post" action="/kirim"><input type="hidden" name="token" value="t&amp;1">
<p><label>Nama <input name="nama" value="lama"></label>
<p><label>Sandi <input type="password" name="sandi" autocomplete="off"></label>
<p><label>Uraian <textarea name="uraian">
lama</textarea></label>
<fieldset><legend>Waktu</legend>
<label><input type="radio" name="waktu" value="sudah" checked> Sudah</label>
<label><input type="radio" name="waktu" value="sedang"> Sedang</label></fieldset>
<p><label>Jabatan <select name="jabatan"><option value="">Pilih</option>
<option value="kadis">Kepala Dinas</option></select></label>
<p><label><input type="checkbox" name="setuju" value="ya"> Setuju</label>
<label><input type="checkbox" name="lain" value="ya"> Lain</label>
<p><button name="tombol" value="a">Kirim</button> <button name="tombol" value="b">Simpan</button>
</form>
<form id="dua" method="post" action="/kirim"><p><label>Nama <input name="nama"></label>
<p><button>Simpan</button></form>
<p><a href="/lanjut?a=1">Lanjut</a></main>
<script>document.title = 'Skrip jalan'</script></body></html>"""

STYLES = """.pucat { color: #ccc; background: #fff }
@media (max-width: 400px) and (prefers-color-scheme: dark) {
  .malam { color: #333; background: #000 }
}"""


class Handler(BaseHTTPRequestHandler):
    """Answers the form, and what was posted last."""

    posted = ""

    def do_GET(self) -> None:
        if self.path == "/hasil":
            rows = "".join(
                f"<li>{html.escape(name)}={html.escape(value)}"
                for name, value in parse_qsl(Handler.posted, keep_blank_values=True)
            )
            self._send(
                f'<!doctype html><html lang="id"><title>Hasil</title><main><h1>Hasil</h1>'
                f'<ul>{rows}</ul><p style="color:#ccc;background:#fff">pucat</p></main>'
            )
        elif self.path == "/gaya.css":
            self._send(STYLES, "text/css")
        else:
            self._send(PAGE)

    def do_POST(self) -> None:
        Handler.posted = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        time.sleep(0.3)  # a driver that does not wait for the answer reads the old page
        self.send_response(303)
        self.send_header("Location", "/hasil")
        self.send_header("Set-Cookie", "sesi=abc; HttpOnly; SameSite=Strict; Path=/")
        self.end_headers()

    def _send(self, page: str, kind: str = "text/html") -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", "script-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(page.encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
