"""What the author of a review sees."""

from fastapi import APIRouter

router = APIRouter(prefix="/reviews/{review}/author")
