"""The texts of the golden files, one for each branch of the rules. All are our own."""

from typing import NamedTuple

from lambda_src.tagger.markup import BodyFormat


class Text(NamedTuple):
    """A question."""

    title: str
    body: str = ""
    body_format: BodyFormat = "auto"


ANALYZER: dict[str, Text] = {
    "camelCase": Text("UITableViewCells of myVar in JavaScript's iOS x2Y aB4CdEf"),
    "camelCase beside other letters": Text(
        "TableView\u00e9n (QWebView) MyAPI.GetURL_of-ABc \u2019NSString\u2019"
    ),
    "camelCase with plurals": Text("PDFs getURLs IDsOf APIsAB XYst ABCs's Xs aXs"),
    "camelCase in addresses": Text("WWW.GitHub.com HTTPS://x.com/UIView Www.MyPage.org GetUrl"),
    "camelCase in the body": Text("a view", "UITableView <pre>myVar</pre>"),
    "camelCase with a long part": Text(f"A{'b' * 39}Cd E{'f' * 40}Gh"),
    "camelCase in secrets": Text("key aB1cD2eF3gH4iJkL, token aB1cD2eF3gHiJkLm"),
    "camelCase in a very long word": Text(f"aB{'.c' * 98}.D aB{'.c' * 99}.D"),
    "no camelCase": Text("HTML Java sql C# X Node.js a_B"),
    "capitals": Text("Merging MAPS in Java"),
    "capitals beside other alphabets": Text(
        "École \u201cC#\u201dJava\u2019s Naïve ASP.NET-based é go x²Y"
    ),
    "capitals in every word": Text("Merging MAPS 3 É"),
    "characters that join words": Text(
        "a.b c_d e-f don't isn\u2019t x..y .z z. -q- _r_ ab.cd._'-ef"
    ),
    "words that end in signs": Text("c++ c# f# c+ c+++ c## c#+ a++b ++ # x+y"),
    "the word that begins with a dot": Text(".net .NET, .nets .net_x ..net asp.net .netz.net"),
    "characters that separate words": Text(
        'a,b;c(d)e[f]g{h}i<j>k=l*m/n\\o|p&q%r$s!t?u~v^w`x"y:z@1'
    ),
    "possessives": Text("Java's Java\u2019s's 's '' x's' python's-y"),
    "compound words and their parts": Text(
        "asp.net-mvc one-time a-b a. -a utf-8 x86_64 a--b queries.merged"
    ),
    "parts that are no words": Text(f"key-{'x' * 41} a-1234567890123456-b zz-{'y' * 40}"),
    "the longest compound word": Text(
        f"{'a-' * 99}bc {'d_' * 99}efg {'é.' * 99}xy {'è-' * 99}xyz's"
    ),
    "the longest word": Text(
        f"{'a' * 40} {'b' * 41} {'c' * 38}++ {'d' * 39}# {'é' * 40} {'è' * 41}"
    ),
    "secrets": Text(
        "abcdefghijkl1234 abcdefghijk1234 abcdefghijklm123 1234567890123456 "
        "ab12cd34ef56gh78 abcdefghijklmn12 aaaabbbbccccddddeeee123"
    ),
    "addresses": Text(
        "see http://a.example/b?c=1 or https://d.example, www.e.example/f or mailto a.b@c.example "
        "and x@y z://w @autowired (g@h) i @ j httpx://k"
    ),
    "short words": Text("as is bus gas ies the eed ing sing red ace bee"),
    "plurals of y": Text("queries ties dies cities lies flies ies's"),
    "plurals with es": Text(
        "classes dishes watches boxes buzzes quizzes axes aches shes fezes ozes ches sses"
    ),
    "plurals with s": Text("maps css status redis buses loops bias class aliases tests"),
    "verb endings": Text(
        "merging merged running stopped called passing passed buzzing buzzed "
        "fizzed string strings bring shrug-ing tried crying fling flying rhythming fed bedding"
    ),
    "endings without a vowel": Text("bcding bcded xyzing nthing brring tying"),
    "doubled letters": Text("adding added hopping hopped filled kissed jazzed freeing controlled"),
    "a silent e": Text("use uses used file files cache caches are one edge"),
    "plurals and verbs": Text("mergings settings builds beddings"),
    "words with digits or signs stay": Text("utf8s 3ds python3s c++s node.jses x1ing"),
    "other alphabets": Text(
        "naïve résumés ΑΒΓ αβγ's 日本語 привет-мир ½ x² ①② straße İstanbul a\u0301b"
    ),
    "spaces of other kinds": Text("a\u00a0b\u3000c\u2028d\te\nf\x00g\x1ch\u200bi"),
    "long dashes and ellipses": Text("left\u2013right wait\u2026now \u201cquoted\u201d it\u2019s"),
    "quotation marks of typography": Text(
        "\u201cr\u201d, \u2018c\u2019 don\u2019t \u201eab\u201c \u201aab\u2018 "
        "a\u2022b c\u2014d \u2018x\u2019s \u2192 ef\u2018gh ij\u201akl"
    ),
    "the limit of a title": Text(" ".join(["ab"] * 398 + ["c-d", "inside", "outside"])),
    "the limit of the prose": Text("", " ".join(["ab"] * 399 + ["inside", "outside"])),
    "the limit counts chunks": Text(
        "", " ".join(["+"] * 397 + ["x+y+z", "inside", "last", "outside"])
    ),
    "the limit of tokens": Text(
        "\u00e9\u00b7" * 597 + "ab-cd inside ef-gh outside",
        f"{'a+' * 597}ab-cd inside ef-gh outside",
    ),
    "the limit of tokens in one chunk": Text(
        "\u00e9\u00b7" * 599 + "ab-cd\u00b7outside", f"{'a+' * 599}ab-cd+outside"
    ),
    "the limit of other alphabets": Text(" ".join(["é"] * 399 + ["ö", "ü"])),
    "the limit of code": Text("", f"<pre><code>{'x ' * 399}inside outside</code></pre>"),
    "full width and other forms of characters": Text(
        "\uff23\uff03 \uff21\uff33\uff30\uff0e\uff2e\uff25\uff34 "
        "\uff30\uff59\uff54\uff48\uff4f\uff4e\uff13 C\u266f "
        "\uff71\uff8c\uff9f\uff98 \ufb01le e\u0301t\u00e9 ten\u2010fold non\u2011blocking"
    ),
    "invisible characters": Text("py\u200bthon py\u00adthon \ufeffjava sc\u200cal\u200da"),
    "signs that normalization spells": Text("wait…now java™ sql℠ rust½ x²"),
    "characters that would grow": Text("a \ufdfa b"),
    "a long run of marks": Text("a" + "\u0316\u0301" * 100 + " b"),
    "words of two scripts": Text(
        "Pythonでリストの C#の.NETを使う 用java8写 使用c++编程 파이썬python코드 2個のjs "
        "リスト-list \u0430-b \u041aode"
    ),
    "escapes": Text(r"remove \r\n and \t or \d+ \w. \c-x \new \r", r"in \c, \R: \d{2} \r_x \d+x"),
    "flags of commands": Text(
        "grep -r gcc -c -r. ls -R, (-d) --r x-r a -rf -c++ c-d -c-x", '-c at the start, "-r"'
    ),
    "drives": Text("in C:\\Temp or d:/data r: c:x abc:/y", "C:\\"),
    "initials": Text("R&D r & d C & A c&java java&c c &  d c &   d c&", "AT&T"),
    "lists of letters": Text(
        "sort a, b and c or x or y; options a) b) c) and (b), (c) or (d)",
        "q, r, and s. c,d r , d. d) , c. b and c++, c or d# c, d+ d or\nc",
    ),
    "letters that are no list": Text(
        "c vs r, C and C++ with R or Python in C, how c/c++ using R, plot",
        "in R, I sort. In C, a pointer or C or a D and i c, java, r d, c-x",
    ),
    "letters that qualify names": Text(
        "select r.id, t.x from t r join c on c.id_c = r.c_id in r's r c.f. d d.ab. x.y",
        "r d.a_ d and c x._a x a.bé a «é.cd» c e-f.gh f (h.ij) h q.r9, q k.l.mn k b.cd+é b",
    ),
    "letters of compound words": Text("r.id x.c c.y t_d objective-c d-1 a.b", "<code>r.id</code>"),
    "addresses and other uses of the sign": Text("", "<pre>f(@a b@c '@d &@e x.@f</pre>"),
    "letters beside other alphabets": Text("é, c, d «c, d» r, dé и c or r \u2013 -r \\c…"),
    "signals of code": Text(
        "",
        "<pre><code>f &lt;- function(x) x %&gt;% map(~ .x)\n$a->b = $$c['d'] === 1;\n"
        '#include &lt;a.h&gt;\n  }\n&gt;&gt;&gt; print(f"{x!r}")\n$ ls | wc \n$x\n'
        "&gt; y\n\t- z:\t\n"
        'std::cout &lt;&lt; a++;\n\\d+ \\\\ &lt;?php ?&gt; a?.b """</code></pre>',
    ),
    "no signals outside of code": Text("a => b", "c := d; e"),
    "the longest signal": Text("", "<pre>!== != === == => ;; -- --> ();\n<<<- ...</pre>"),
    "the limit of signals": Text("", f"<pre>{'x' * 3998}%;|</pre>"),
    "signals at the limit": Text("", f"<pre>{'x' * 3998}=&gt;=&gt;</pre>"),
    "signals in other alphabets": Text(
        "", "<pre>é => ü-> «x»== \u2028; \n\u3000} ñ{\n日@本 (@日 #{@x}</pre>"
    ),
    "words of code count once as text": Text(
        "java", "sql <pre>np.array sql sql java np c c++ git naïve 日</pre>"
    ),
    "nothing": Text("", ""),
    "only signs": Text("?! ... --- +++ ''"),
}
MARKUP: dict[str, Text] = {
    "html": Text(
        "",
        "<p>Use <code>map</code> &amp; <em>filter</em>:</p>"
        "<pre><code>map(f, xs)</code></pre><p>Why?</p>",
    ),
    "code inside code": Text(
        "", "<pre>outer <code>inner</code> rest</pre><p>after <code>one <code>two</code></code></p>"
    ),
    "scripts and styles": Text("", "<p>seen</p><script>script</script><style>style</style>"),
    "code in the order of its kinds": Text(
        "", "<pre>first</pre><code>second</code><pre><code>third</code></pre>"
    ),
    "plain text": Text("", "vector<b> of List<i> is a<b and b>c"),
    "a break alone": Text("", "a <BR/> `b`"),
    "a link without markdown": Text("", 'see <a href="x">docs</a>'),
    "an anchor without its end": Text("", "see <a name> `b`"),
    "a line break at the beginning": Text("", "<br>\nuse `a`"),
    "bold text alone": Text("", "a <b>c</b> &amp; d"),
    "html after a comment and with backticks": Text("", "<!-- a\nb --> <!-- c --><p>`d`</p>"),
    "html by name": Text("", "a `b` c", "html"),
    "markdown by name": Text("", "a `b` <p>c</p>", "markdown"),
    "fences": Text("", "See:\n\n```python\na = 1\n\nb = 2\n```\nthen\n~~~\nc\n~~~\nend"),
    "a longer fence": Text("", "````\ncode ```\n```\nstill\n````\nprose"),
    "a fence without end": Text("", "prose\n```\ncode\nmore"),
    "an indented fence": Text("", "   ```\ncode\n   ```\nprose\n    ```\nno fence"),
    "indented code": Text("", "See:\n\n    a = 1\n\n    b = 2\n\tc = 3\n\nprose\n    no code"),
    "indented code at the beginning": Text("", "    first\n\nprose"),
    "inline code": Text("", "a `b` ``c ` d`` `` e `f` g``` h `i\nj` k ```l `` m``` n"),
    "link targets": Text(
        "", '[docs](https://a.example "Title here") and [x](y) (z)\n\n[1]: http://b.example\nend'
    ),
    "a fence with html": Text("", "Why?\n\n```html\n<ul>\n<li>a</li>\n</ul>\n```\n"),
    "a fence of tildes with html": Text("", "~~~\n<p>a</p>\n~~~\nwhy `b`?"),
    "indented html": Text("", "Why?\n\n    <ul>\n    <li>a</li>\n\nand `b`"),
    "indented html without other code": Text("", "Why?\n\n    <ul><li>a</li></ul>\n"),
    "indented html at the beginning": Text("", "    <p>a</p>\n\nand `b`"),
    "inline code with html": Text("", "Use `<p>a</p>` here"),
    "markdown with stray tags": Text("", "a <b>bold</b><br>\nline with `c`"),
    "html with backticks": Text("", "<p>Use `sed` and\n```\nawk</p>"),
    "html after text": Text("", "Hello `x`,\n<p>Use <code>y</code></p>"),
    "html after a comment": Text("", "<!-- language: c -->\n\n<pre><code>a</code></pre>"),
    "inline html": Text("", "Use <code>a</code> here"),
    "escaped code": Text("", "a &lt; b\n\n```\nx =&gt; &amp;y &quot;z&#39; &nbsp;\n```"),
    "lines of other systems": Text("", "See:\r\n\r\n    code\r\n\r\nprose"),
}
RANKING: dict[str, Text] = {
    "a title": Text("How do I merge two maps in Java?"),
    "title, prose and code": Text(
        "Merging maps in C++",
        "<p>Unit tests of Node.js fail in python.</p><pre>git css python sql</pre>",
    ),
    "a title with a capital in every word": Text("Merging Python Maps"),
    "a title with a number and capitals": Text("Merging Python Maps 3"),
    "a topic in parts of a camelCase word": Text("it is the zzqSqlGit"),
    "a topic in parts of words": Text("python_sql-qwrtz", "it is the git_css"),
    "a topic in words and parts": Text("python_sql-qwrtz java", "it is the git_css"),
    "a term often": Text("css css", "css css css css css css and css with regex, regex"),
    "names of several words": Text(
        "unit testing a one time pad", "asp.net mvc or unit-testing, unit tests"
    ),
    "names in prose twice": Text("question", "python and python with java. Linux? c# .net c# .net"),
    "names in the title twice": Text(
        " and ".join(2 * ["python", "java", "sql", "git", "c#", "c++"])
    ),
    "names in the title only": Text("linux git sql css regex c# .net java"),
    "names in code only": Text("the settings", "<code>git sql otp cpp nodejs unit test</code>"),
    "synonyms": Text("otp with cpp", "nodejs unittest cpp cpp c++"),
    "half of a long name": Text("one time", "a unit of the test, one pad"),
    "the end of a long name": Text("time pad", "or time pad"),
    "the end of a long name that is a candidate": Text("time pad zzz fizz zzz scala"),
    "an unknown word between two": Text("unit zzz test", "one zzz time pad"),
    "pairs stop at a field's end": Text("a unit", "test it"),
    "parts of words make no pairs": Text("x-unit test-x unit-a test"),
    "no pairs in code": Text("map", "<code>unit test one time pad</code>"),
    "the last pair of the prose": Text("", f"{'maps ' * 98}unit tests"),
    "a pair too late in the prose": Text("", f"{'maps ' * 99}unit tests"),
    "pairs late in the title": Text(f"{'maps ' * 120}unit tests"),
    "prose without title": Text("", "merging maps in java with python"),
    "code of a language": Text(
        "Why?", "<pre>git = sql.run('java') => python;\n#linux c# c#\n</pre>"
    ),
    "names in code and in prose": Text("", "python java <code>python git git java java</code>"),
    "one word of code": Text("java", "<code>git</code>"),
    "only signals": Text("", "<pre>=> :: ;</pre>"),
    "code without words": Text("", "<code>git sql</code>"),
    "fillers only": Text("how can I do this please", "thanks, it's not working"),
    "unknown words, just few enough": Text("python java maps zza zzb"),
    "unknown words, too many": Text("python java zza zzb"),
    "only unknown words": Text("zza zzb zzc"),
    "nothing": Text("", ""),
    "a long question": Text(
        "Settings of the tests", "queries merged dictionaries boxes classes running added " * 12
    ),
}
