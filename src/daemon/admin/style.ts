/** In the browser's tab. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 52 52"><circle cx="26" cy="26" r="24" fill="#0f6b4c"/><path d="M16 27l7 7 14-15" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** The admin page's looks: light and dark by the reader's own choice, from 360 px up, and nothing from elsewhere. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#55606f;--paper:#fff;--ground:#f3f5f8;--line:#d6dce4;--code:#eef1f5;--link:#1b57b0;--on-link:#fff;--good:#0f6b4c;--good-ground:#e3f5ed;--bad:#a5221b;--bad-ground:#fdecea;--waiting:#6b5000;--waiting-ground:#fdf4da;--off:#3d4856;--off-ground:#e3e7ed}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a7b2c1;--paper:#1a212b;--ground:#10151c;--line:#36414f;--code:#10151c;--link:#8db9ff;--on-link:#10151c;--good:#5fd3a8;--good-ground:#12352a;--bad:#ff9c93;--bad-ground:#411d1b;--waiting:#ecc76c;--waiting-ground:#3a3013;--off:#c3ccd8;--off-ground:#2f3946}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;padding:.5rem 1rem;background:var(--paper);z-index:1}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.5rem;padding:.75rem 1.25rem;background:var(--paper);border-bottom:1px solid var(--line)}
.brand{margin:0;font-weight:650}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0;list-style:none}
.who{margin-left:auto;color:var(--soft);font-size:.9rem}
main{max-width:70rem;margin:0 auto;padding:1.25rem}
main:focus{outline:0}
main.narrow{max-width:34rem}
h1{margin:.25rem 0 1rem;font-size:1.5rem;line-height:1.25}
h2{margin:1.75rem 0 .6rem;font-size:1.15rem}
h3{margin:0;font-size:1.05rem}
a{color:var(--link)}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
p{margin:0 0 .6rem}
.soft{color:var(--soft)}
code{padding:.05rem .3rem;background:var(--code);border:1px solid var(--line);border-radius:5px;font:.875em/1.4 ui-monospace,SFMono-Regular,Menlo,monospace;-webkit-box-decoration-break:clone;box-decoration-break:clone}
.rows{display:grid;gap:.75rem;margin:0;padding:0;list-style:none}
.card{padding:1rem 1.1rem;background:var(--paper);border:1px solid var(--line);border-radius:12px}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .8rem}
section>.head{align-items:baseline}
.pill{padding:.1rem .65rem;border-radius:999px;font-size:.85rem;font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}.waiting{color:var(--waiting)}.off{color:var(--off)}
.pill.good,.banner.good{background:var(--good-ground)}.pill.bad,.banner.bad{background:var(--bad-ground)}.pill.waiting,.banner.waiting{background:var(--waiting-ground)}.pill.off{background:var(--off-ground)}
.banner{margin:.75rem 0;padding:.7rem .9rem;border-left:4px solid currentColor;border-radius:6px}
.banner p,.banner form{color:var(--ink)}
.banner p:last-child{margin:0}
.banner strong{display:block}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.5rem 1.25rem;margin:.75rem 0}
dt{color:var(--soft);font-size:.85rem}
dd{margin:0}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-top:.75rem}
button,.button{padding:.5rem .95rem;border:1px solid var(--link);border-radius:8px;background:var(--link);color:var(--on-link);font:inherit;font-weight:600;cursor:pointer}
button.second{background:transparent;color:var(--link)}
button.plain{padding:.1rem .3rem;border:0;background:none;color:var(--link);font-weight:400;text-decoration:underline}
.filters{display:flex;flex-wrap:wrap;gap:.6rem .9rem;align-items:end;margin:1rem 0}
label{display:grid;gap:.15rem;color:var(--soft);font-size:.85rem}
input,select{min-width:0;max-width:100%;padding:.45rem .6rem;border:1px solid var(--soft);border-radius:8px;background:var(--paper);color:var(--ink);font:inherit}
.scroll{overflow-x:auto;margin-bottom:1rem;background:var(--paper);border:1px solid var(--line);border-radius:12px}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th,td{padding:.45rem .75rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:600;white-space:nowrap}
td{overflow-wrap:anywhere}
td time,td:first-child{white-space:nowrap}
.pages{display:flex;gap:1rem;margin-top:1rem}
.answer{font-size:1.1rem}
ol.road{margin:0;padding:0;list-style:none}
ol.road>li{position:relative;padding:0 0 .5rem 1.4rem;border-left:2px solid var(--line)}
ol.road>li>h2{margin-top:0}
ol.road h3{margin:.5rem 0}
ol.road>li::before{content:"";position:absolute;left:-.45rem;top:.35rem;width:.75rem;height:.75rem;border-radius:50%;background:var(--soft)}
@media(max-width:40rem){
 table.stack td,table.stack td:first-child{overflow-wrap:anywhere;white-space:normal}
 main,header{padding-left:.9rem;padding-right:.9rem}
 .who{margin-left:0}
 table.stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 table.stack tr{display:block;padding:.5rem 0;border-top:1px solid var(--line)}
 table.stack tbody tr:first-child{border-top:0}
 table.stack td{display:block;padding:.1rem .75rem;border:0}
 table.stack td:empty{display:none}
}
`;
