"""Modules of Python and of well-known libraries: none of the repository's own."""

from __future__ import annotations

import sys

#: Public libraries whose code calls MLflow for nobody, or only through calls that are followed by name.
_NAMES = """
    _pytest absl accelerate adlfs aiofiles aiohttp airflow altair anthropic arrow asyncpg attr autogluon awswrangler
    azure azureml backoff bertopic biopython bitsandbytes black boto boto3 botocore botorch bs4 cachetools catboost
    category_encoders cattrs chromadb click cloudfiles cloudpathlib cloudpickle cmdstanpy codecs colorama composer
    configparser confluent_kafka coverage cron_descriptor cryptography ctgan cv2 cvxpy cycler cython dash
    dash_bootstrap_components dask databricks databricks_cli datasets datasketch dateutil dbdemos dbl dbldatagen dbt
    dbutils deepspeed delta deltalake deprecated diffusers dill dlt docker docx dotenv dspy dvc easyocr econml eli5
    email_validator evaluate evidently faiss faker fastapi fastparquet fasttext fbprophet feast featuretools filelock
    flair flake8 flashtext flask folium fsspec ftfy fuzzywuzzy gensim geopandas git gluonts google gpytorch gradio
    graphviz great_expectations greenlet grpc gunicorn gym gymnasium h2o h3 haystack hdbscan holidays horovod html2text
    httpx huggingface_hub humanize hydra hyperopt imageio imblearn img2table implicit instructor interpret ipykernel
    IPython ipywidgets isort jax jaydebeapi jellyfish jinja2 jiwer joblib jsonschema jwt kagglehub kaleido keras
    keras_tuner kfp knapsack koalas langchain langchain_community langchain_core langchain_databricks langchain_openai
    langgraph ldap3 levenshtein librosa lifelines lightgbm lightning lime litellm llama_cpp llama_index loguru lxml
    lxml_html markdown markdownify marshmallow matplotlib mleap mlflow mlflow_export_import mlflow_skinny mlforecast
    mlserver monai mosaic motor msal msrest msrestazure multiprocess mypy mysql neo4j nest_asyncio networkx
    neuralforecast neuralprophet nibabel nltk nltk_data numba numpy nutter nvidia oauthlib odf olefile omegaconf onnx
    onnxmltools onnxruntime opacus openai opencv openpyxl opensearchpy optax optuna oracledb orjson ortools packaging
    pandas pandas_profiling pandasql pandera papermill paramiko passlib patsy pdfminer pdfplumber peft petastorm pikepdf
    PIL pinecone pip pkg_resources pkginfo playwright plotly plotnine pmdarima polars presidio_analyzer
    presidio_anonymizer prettytable prometheus_client promptflow prophet protobuf psutil psycopg psycopg2 pyarrow
    pyathena pycaret pycountry pydantic pydantic_settings pydicom pydub pyfunc pylab pymc pymongo pymssql pymysql pyodbc
    pypdf pyproj pyspark pyspark_ai pytesseract pytest python_docx pythonjsonlogger pytorch_lightning pytz qdrant_client
    ragas rank_bm25 rapidfuzz rasterio ray rdkit redis regex reportlab requests requests_oauthlib responses rich rouge
    rouge_score ruamel s3fs s3transfer sacremoses sagemaker schedule scikitplot scipy sdmetrics sdv seaborn selenium
    semver sentence_transformers sentencepiece serpapi setfit setuptools shap shapely shiny simple_salesforce simplejson
    six skimage skimpy skl2onnx sklearn skopt slack_sdk snorkel snowflake spacy sparkdl sparknlp sqlalchemy sqlfluff
    sqlglot sqlmodel sqlparse starlette statsforecast statsmodels streamlit streamlit_option_menu surprise swifter sympy
    synapse tableauserverclient tabpfn tabulate tavily tempo tenacity tensorboard tensorflow tensorflow_addons
    tensorflow_datasets tensorflow_hub tensorflow_probability tensorflow_text tensorflowjs textblob textstat tf_keras
    tflite thefuzz tiktoken timm tokenizers toml torch torchdata torcheval torchinfo torchmetrics torchvision tox tqdm
    trafilatura transformers treelib trl trulens tsfresh tslearn tweepy twilio typer typing_extensions ujson umap
    unidecode unitycatalog unstructured urllib3 utilsforecast uvicorn vaderSentiment validators vectorbt vllm wandb
    websocket wget wheel whylogs wordcloud xarray xgboost xlrd xlsxwriter xmltodict yaml yaml_include yarl
    ydata_profiling yfinance youtube_transcript_api zmq zstandard
"""
_PUBLIC = frozenset(_NAMES.split())


def is_public(module: str) -> bool:
    """Is the module one of Python or of a well-known library?"""
    top = module.split(".", 1)[0]
    return top in sys.stdlib_module_names or top in _PUBLIC
