"""Modules of Python and of well-known libraries: none of the repository's own."""

from __future__ import annotations

import sys

#: Public libraries whose code calls MLflow for nobody, or only through calls that are followed by name.
_NAMES = """
    _pytest absl accelerate adlfs agno aif360 aiofiles aiohttp aiosqlite airflow albumentations alibi alibi_detect
    alpha_vantage altair altair_viewer anndata annoy anthropic applicationinsights arch arrow arxiv asgiref asyncpg
    atlassian attr auto_gptq autofaiss autogen autogluon autosklearn autoviz avro awq aws_secretsmanager_caching
    awswrangler azure azureml backoff backtrader barnum bayes_opt bert_score bertopic binance Bio biopython
    bitsandbytes black bokeh boruta boto boto3 botocore botorch braintree brotli bs4 cachetools camel_converter camelot
    captum catboost category_encoders cattrs causalml cbor2 ccxt celery certifi cfgrib chardet charset_normalizer
    chispa chromadb chronos click cloudfiles cloudpathlib cloudpickle cmdstanpy codecs cohere colorama composer
    configparser ConfigSpace confluence confluent_kafka consul contextily contractions cornac coverage cowsay cplex
    crewai cron_descriptor cryptography ctgan cudf cuml cupy cv2 cvxpy cycler cython darts dash
    dash_bootstrap_components dask dask_ml databricks databricks_cli databricks_langchain databricks_mcp
    databricks_openai databricks_registry_webhooks databricks_test datadog datasets datasetsforecast datashader
    datasketch dateparser dateutil dbdemos dbl dbldatagen dbruntime dbt dbutils dbx ddtrace deap deepchecks deepctr
    deepctr_torch deepdiff deeplake deepspeed delta delta_sharing deltalake deltatorch deprecated dgl dictdiffer
    diffusers dill distributed django dlt docker docker_pycreds docplex docx docx2txt dotenv doubleml dowhy dspy
    dtreeviz duckdb duckduckgo_search dvc easyocr econml ee efficientnet_pytorch einops elasticsearch eli5
    email_validator emoji empyrical essential_generators etcd3 evaluate eventlet evidently fairlearn faiss faker fastai
    fastapi fastavro fastchat fastf1 fastparquet fasttext fbprophet feast feature_engine featuretools filelock
    findspark finnhub fiona fitz flair flake8 flash_attn flashrank flashtext flask flask_cors flask_sqlalchemy folium
    fredapi freezegun fsspec ftfy fuzzywuzzy gdown gensim geojson geojsonio geopandas geopy gevent git gluonts google
    google_auth_oauthlib googleapiclient googletrans gpytorch gradientai gradio graphframes graphviz great_expectations
    greenlet groq grpc gspread gunicorn gurobipy gym gymnasium h2o h3 h5netcdf h5py haversine haystack hdbscan
    hierarchicalforecast highspy hmmlearn hnswlib holidays holoviews horovod hqq html2text httpx hubspot
    huggingface_hub humanfriendly humanize hvac hvplot hydra hyperopt hypothesis idna igraph imagehash imageio imblearn
    img2table imgaug imodels implicit inflection instructor interpret investpy ipykernel ipyleaflet IPython ipywidgets
    isort itsdangerous jax jaydebeapi jellyfish jinja2 jira jiwer joblib jose jsonpath_ng jsonschema jupyter jupyterlab
    jwt kafka kaggle kagglehub kaleido karateclub keplergl keras keras_tuner keybert keyphrase kfp kmodes knapsack
    koalas kornia kubernetes lancedb langchain langchain_anthropic langchain_community langchain_core
    langchain_databricks langchain_experimental langchain_huggingface langchain_openai langchain_text_splitters
    langdetect langfuse langgraph langsmith lazypredict ldap3 leidenalg levenshtein librosa lifelines lightfm lightgbm
    lightning lime linearmodels litellm livelossplot llama_cpp llama_index llama_parse llmfoundry lm_eval lmql lofo
    loguru lorem lxml lxml_html lz4 mack markdown markdownify marqo marshmallow matplotlib mcp mediapipe mesa meteostat
    mimesis missingno mistralai mleap mlflow mlflow_export_import mlflow_skinny mlforecast mlserver mlxtend mock monai
    mosaic moto motor moviepy mplfinance msal msgpack msrest msrestazure multiprocess mypy mysql nameparser nannyml
    nasdaqdatalink nba_api nbconvert nbformat neo4j nest_asyncio netCDF4 netmiko networkx neuralforecast neuralprophet
    nevergrad newrelic newspaper nibabel nlpaug nltk nltk_data nmslib node2vec numba numcodecs numpy nutter nvidia
    oauthlib odf ogb olefile ollama omegaconf onnx onnxmltools onnxruntime opacus open_clip openai opencensus opencv
    opendatasets openmeteo_requests openpyxl opensearchpy opentelemetry optax optimum optuna oracledb orc orjson
    ortools osmnx outlines packaging pandas pandas_datareader pandas_profiling pandas_ta pandasql pandera papermill
    parameterized paramiko passlib patsy pdf2image pdfkit pdfminer pdfplumber pecanpy peft pendulum petastorm pexpect
    pg8000 pgvector pikepdf PIL pinecone pinecone_text pip pkg_resources pkginfo plaid platypus playwright plotly
    plotnine pmdarima polars pptx praw presidio_analyzer presidio_anonymizer prettytable prometheus_client promptflow
    prophet protobuf psutil psycopg psycopg2 psycopg2_binary psycopg_pool pulp py3Dmol py4j pyarrow pyarrow_hotfix
    pyathena pybaseball pycaret pycocotools pycountry pycountry_convert pydantic pydantic_settings pydeck pydeequ
    pydicom pydomo pydrive pydub pyexcel pyfolio pyfunc pygam pygments pyjokes pylab pyLDAvis pymc pymilvus pymongo
    pymoo pymssql pymupdf pymysql pynndescent pyod pyodbc pyomo pypdf pypdfium2 pyperclip pyproj pyreadr pyscipopt
    pyserini pyspark pyspark_ai pyspark_dist_explore pyspark_test pyspellchecker pyswarm pyterrier pytesseract pytest
    pytest_jsonreport pytest_mock python_docx pythonjsonlogger pytorch_forecasting pytorch_lightning pytorch_tabnet
    pytz pyxlsb qdrant_client quantstats quinn ragas rake_nltk randomuser rank_bm25 rank_llm rapidfuzz rasterio ray
    rdkit recbole redis regex replicate reportlab requests requests_cache requests_oauthlib responses retry_requests
    rich rioxarray rmm rouge rouge_chinese rouge_score rpy2 ruamel ruff s3fs s3transfer sacrebleu sacremoses sage
    sagemaker salesforcecdpconnector schedule scholarly scikit_optimize scikitplot scipy sdmetrics sdv seaborn
    segmentation_models_pytorch selenium semantic_kernel semver sentence_transformers sentencepiece sentinelhub
    sentry_sdk serpapi serverless_gpu setfit setuptools shap shapely shiny shortuuid simple_salesforce simplejson simpy
    six skforecast skimage skimpy skl2onnx sklearn skopt skorch sksurv sktime slack_sdk slowapi smac smolagents snappy
    snorkel snowballstemmer snowflake solacc soundfile spacy sparkdl sparkmeasure sparknlp speech_recognition spektral
    spellchecker splink spotipy sqlalchemy sqlfluff sqlglot sqlite_utils sqlmodel sqlparse sse_starlette stanza
    starlette statsd statsforecast statsmodels stockstats streaming streamlit streamlit_option_menu stripe structlog
    supervision surprise sweetviz swifter sympy symspellpy synapse ta tableauserverclient tabpfn tabula tabulate talib
    tavily tbats tempo tenacity tensorboard tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub
    tensorflow_probability tensorflow_ranking tensorflow_recommenders tensorflow_text tensorflowjs textblob
    textdistance textstat tf_keras tflite thefuzz tiktoken timesfm timezonefinder timm tinydb tmdbv3api tokenizers toml
    top2vec torch torch_cluster torch_geometric torch_scatter torch_sparse torchaudio torchdata torcheval torchinfo
    torchmetrics torchsummary torchvision tox tpot tqdm trafilatura transformers treelib triton trl trulens tsfresh
    tslearn turicreate tweepy twilio txtai typer typing_extensions ucimlrepo ujson umap umap_learn uni2ts unicodedata2
    unidecode unidiff unitycatalog unstructured urllib3 uszipcode utilsforecast uvicorn vaderSentiment validators
    vectorbt vega vespa vllm wandb weasyprint weaviate websocket werkzeug wget wheel whylogs wikipedia wikipediaapi
    wordcloud wordsegment xarray xformers xgboost xlrd xlsxwriter xlutils xlwings xlwt xmltodict yahooquery yake yaml
    yaml_include yarl ydata_profiling yellowbrick yfinance youtube_transcript_api zarr zmq zstandard
"""
_PUBLIC = frozenset(_NAMES.split())


def is_public(module: str) -> bool:
    """Is the module one of Python or of a well-known library?"""
    top = module.split(".", 1)[0]
    return top in sys.stdlib_module_names or top in _PUBLIC
