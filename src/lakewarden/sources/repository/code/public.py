"""Modules of Python and of well-known libraries: none of the repository's own."""

from __future__ import annotations

import sys

#: Public libraries whose code calls MLflow for nobody, or only through calls that are followed by name.
_NAMES = """
    _pytest absl accelerate adlfs aif360 aiofiles aiohttp aiosqlite airflow albumentations alibi alibi_detect
    alpha_vantage altair anndata annoy anthropic arch arrow asgiref asyncpg attr autogluon autosklearn
    aws_secretsmanager_caching awswrangler azure azureml backoff bayes_opt bert_score bertopic Bio biopython
    bitsandbytes black boruta boto boto3 botocore botorch bs4 cachetools camel_converter camelot captum catboost
    category_encoders cattrs causalml celery certifi chardet charset_normalizer chispa chromadb chronos click cloudfiles
    cloudpathlib cloudpickle cmdstanpy codecs colorama composer configparser ConfigSpace confluent_kafka contextily
    contractions coverage cowsay cron_descriptor cryptography ctgan cudf cuml cupy cv2 cvxpy cycler cython darts dash
    dash_bootstrap_components dask dask_ml databricks databricks_cli databricks_langchain databricks_mcp
    databricks_openai databricks_registry_webhooks databricks_test datasets datasetsforecast datasketch dateparser
    dateutil dbdemos dbl dbldatagen dbruntime dbt dbutils dbx deepchecks deepdiff deepspeed delta delta_sharing
    deltalake deltatorch deprecated dictdiffer diffusers dill distributed django dlt docker docx dotenv doubleml dowhy
    dspy dtreeviz duckdb dvc easyocr econml einops elasticsearch eli5 email_validator emoji evaluate eventlet evidently
    fairlearn faiss faker fastai fastapi fastchat fastparquet fasttext fbprophet feast feature_engine featuretools
    filelock findspark flair flake8 flashtext flask flask_cors flask_sqlalchemy folium fredapi freezegun fsspec ftfy
    fuzzywuzzy gdown gensim geojson geopandas geopy gevent git gluonts google gpytorch gradientai gradio graphframes
    graphviz great_expectations greenlet grpc gunicorn gym gymnasium h2o h3 h5py haversine haystack hdbscan
    hierarchicalforecast hmmlearn hnswlib holidays horovod html2text httpx huggingface_hub humanfriendly humanize hydra
    hyperopt hypothesis idna imageio imblearn img2table imgaug imodels implicit inflection instructor interpret
    ipykernel IPython ipywidgets isort itsdangerous jax jaydebeapi jellyfish jinja2 jiwer joblib jose jsonpath_ng
    jsonschema jwt kafka kaggle kagglehub kaleido keras keras_tuner keybert kfp kmodes knapsack koalas kornia langchain
    langchain_anthropic langchain_community langchain_core lazypredict langchain_databricks langchain_experimental
    langchain_huggingface langchain_openai langchain_text_splitters langdetect langfuse langgraph langsmith ldap3
    levenshtein librosa lifelines lightfm lightgbm lightning lime linearmodels litellm llama_cpp llama_index llmfoundry
    lofo loguru lxml lxml_html mack markdown markdownify marshmallow matplotlib mcp meteostat mleap mlflow
    mlflow_export_import mlflow_skinny mlforecast mlserver mlxtend mock monai mosaic moto motor mplfinance msal msrest
    msrestazure multiprocess mypy mysql nameparser nannyml nasdaqdatalink neo4j nest_asyncio networkx neuralforecast
    neuralprophet nibabel nlpaug nltk nltk_data nmslib numba numpy nutter nvidia oauthlib odf olefile omegaconf onnx
    onnxmltools onnxruntime opacus open_clip openai opencensus opencv opendatasets openmeteo_requests openpyxl
    opensearchpy optax optimum optuna oracledb orjson ortools osmnx packaging pandas pandas_profiling pandasql pandera
    papermill parameterized paramiko passlib patsy pdfminer pdfplumber peft pendulum petastorm pg8000 pikepdf PIL
    pinecone pip pkg_resources pkginfo playwright plotly plotnine pmdarima polars presidio_analyzer presidio_anonymizer
    prettytable prometheus_client promptflow prophet protobuf psutil psycopg psycopg2 psycopg2_binary psycopg_pool pulp
    py3Dmol pyarrow pyathena pycaret pycountry pycountry_convert py4j pycocotools pydantic pydantic_settings pydeequ pydicom pydub pyfunc
    pygam pylab pymc pymilvus pymongo pymssql pymysql pyod pyodbc pyomo pypdf pyperclip pyproj pyreadr pyspark
    pyspark_ai pyspark_dist_explore pyspark_test pytesseract pytest pytest_jsonreport pytest_mock python_docx
    pythonjsonlogger pytorch_forecasting pytorch_lightning pytorch_tabnet pytz pyxlsb qdrant_client quinn ragas
    rank_bm25 rapidfuzz rasterio ray rdkit redis regex reportlab requests requests_cache requests_oauthlib responses
    retry_requests rich rmm rouge rouge_score rpy2 ruamel ruff s3fs s3transfer sacrebleu sacremoses sage sagemaker
    salesforcecdpconnector schedule scikitplot scipy sdmetrics sdv seaborn selenium semver sentence_transformers
    sentencepiece serpapi serverless_gpu setfit setuptools shap shapely shiny shortuuid simple_salesforce simplejson six
    skforecast skimage skimpy skl2onnx sklearn skopt skorch sksurv sktime slack_sdk slowapi smac snorkel snowballstemmer
    snowflake solacc soundfile spacy sparkdl sparkmeasure sparknlp splink sqlalchemy sqlfluff sqlglot sqlite_utils
    sqlmodel sqlparse sse_starlette stanza starlette statsforecast statsmodels streaming streamlit streamlit_option_menu
    surprise swifter sympy synapse ta tableauserverclient tabpfn tabulate talib tavily tbats tempo tenacity tensorboard
    tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub tensorflow_probability tensorflow_ranking
    tensorflow_recommenders tensorflow_text tensorflowjs textblob textdistance textstat tf_keras tflite thefuzz tiktoken
    timesfm timezonefinder timm tinydb tokenizers toml torch torch_geometric torch_scatter torchaudio torchdata
    torcheval torchinfo torchmetrics torchvision tox tpot tqdm trafilatura transformers treelib trl trulens tsfresh
    tslearn tweepy twilio typer typing_extensions ucimlrepo ujson umap uni2ts unicodedata2 unidecode unitycatalog
    unstructured urllib3 uszipcode utilsforecast uvicorn vaderSentiment validators vectorbt vllm wandb weasyprint
    weaviate websocket werkzeug wget wheel whylogs wordcloud wordsegment xarray xgboost xlrd xlsxwriter xlwings
    xmltodict yahooquery yaml yaml_include yarl ydata_profiling yellowbrick yfinance youtube_transcript_api zmq
    zstandard
"""
_PUBLIC = frozenset(_NAMES.split())


def is_public(module: str) -> bool:
    """Is the module one of Python or of a well-known library?"""
    top = module.split(".", 1)[0]
    return top in sys.stdlib_module_names or top in _PUBLIC
