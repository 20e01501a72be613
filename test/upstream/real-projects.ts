/**
 * Three hundred projects of the public index, as their owners write the names: those that nearly everybody installs, and those whose
 * pages are odd. `ODD_PROJECTS` says what each is there for; real-pages.test.ts counts in the pages that every kind is met.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** The 200 most used, more or less: the ranks change from month to month. */
export const USED_PROJECTS: readonly string[] = words(`
  aiobotocore aiohttp aiosignal annotated-types anyio asn1crypto astroid async-timeout attrs awscli azure-core azure-identity
  azure-storage-blob backoff bcrypt beautifulsoup4 black blinker boto3 botocore build cachetools certifi cffi cfgv charset-normalizer
  click colorama contourpy cryptography cycler decorator defusedxml deprecated distlib distro docker docutils et-xmlfile exceptiongroup
  execnet fastapi filelock flake8 flask fonttools frozenlist fsspec gitdb gitpython google-api-core google-api-python-client google-auth
  google-auth-httplib2 google-auth-oauthlib google-cloud-core google-cloud-storage google-crc32c google-resumable-media
  googleapis-common-protos greenlet grpcio grpcio-status h11 hatchling httpcore httplib2 httpx huggingface-hub identify idna
  importlib-metadata iniconfig isodate isort itsdangerous jedi jinja2 jmespath joblib jsonschema jsonschema-specifications kiwisolver
  kubernetes lxml markdown-it-py markupsafe matplotlib mccabe mdurl more-itertools msal msal-extensions msgpack multidict mypy
  mypy-extensions networkx nodeenv numpy oauthlib openpyxl opentelemetry-api opentelemetry-proto opentelemetry-sdk
  opentelemetry-semantic-conventions packaging pandas paramiko parso pathspec pexpect pillow pip platformdirs pluggy ply poetry-core
  portalocker pre-commit prompt-toolkit proto-plus protobuf psutil psycopg2-binary ptyprocess pyarrow pyasn1 pyasn1-modules pycodestyle
  pycparser pydantic pydantic-core pyflakes pygments pyjwt pylint pynacl pyopenssl pyparsing pyproject-hooks pytest pytest-asyncio
  pytest-cov pytest-mock pytest-xdist python-dateutil python-dotenv pytz pyyaml redis referencing requests requests-oauthlib
  requests-toolbelt rich rpds-py rsa ruamel-yaml ruff s3fs s3transfer scikit-learn scipy setuptools setuptools-scm shellingham six smmap
  sniffio sortedcontainers soupsieve sqlalchemy sqlparse starlette tabulate tenacity threadpoolctl toml tomli tomlkit tornado tqdm
  traitlets trove-classifiers typer typing-extensions tzdata uritemplate urllib3 uvicorn virtualenv wcwidth websocket-client websockets
  werkzeug wheel xmltodict yarl zipp
`)

/** A hundred more, by what is odd about them. */
export const ODD_PROJECTS: Readonly<Record<string, readonly string[]>> = {
  'version epochs': words('foursquare metomi-isodatetime'),
  'local versions in file names, and every kind of archive': words('pyzmq IPython'),
  'versions that PEP 440 does not know': words(`
    adodbapi buildbot CherryPy collective.js.jquery collective.recipe.template egenix-pyopenssl geopandas grok healpy HTSeq iw.recipe.cmd
    multiprocessing MySQL-python nltk obspy PasteDeploy pyreadline PySide pysnmp pywcs satchmo supervisor sympy Yapps2 zope.component
  `),
  'thousands of files': words('tf-nightly boto3-stubs'),
  'requires-python in odd shapes': words('nibabel'),
  'rpm, dmg, tgz, tar.bz2 and upper-case endings': words(`
    cx_Oracle polib uncompyle6 dipy scikits.audiolab gssapi meld3 Nikola notebook PyGreSQL celery feedparser importlib kiwi kombu
    mayavi pyarmor pygtk pyinstaller translate-toolkit Twisted WebOb ZConfig
  `),
  'Windows installers': words('argparse crcmod PyGObject python-ldap reportlab rpy2 xlrd xlwt winshell pyserial'),
  eggs: words('ZODB3 traits zc.buildout TurboGears Pylons ExtensionClass'),
  'yanked, with and without a reason': words('polars nvidia-cublas mdit-py-plugins xgboost'),
  'few files, and from long ago': words(`
    BeautifulSoup bzr informixdb wsgiref ssl uuid hashlib kid pyflink scikits.learn sage libmagic fluidsynth yapps lovely.memcached
    web.py antlr4-python3-runtime RPi.GPIO Products.CMFPlone archetypes.schemaextender pycrypto sklearn attr enum34 bs4
  `),
}

/** Names that were registered and never got a file, or lost them all: an index answers with an empty page or with 404. */
export const FILELESS_PROJECTS: readonly string[] = words('elementtree PIL Numeric numarray pychecker pylucene')
