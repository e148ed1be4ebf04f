"""Addresses of profiles, of word of mouth, and of what sellers say of their goods. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import goods, goods_marks, profiles, word_of_mouth

patterns = [
    path("insight/profiles", profiles.profiles, name="insight-profiles"),
    path("insight/profiles/export", profiles.export, name="insight-profile-export"),
    path("insight/profiles/members", profiles.members, name="insight-profile-members"),
    path("insight/word-of-mouth", word_of_mouth.word_of_mouth, name="insight-word-of-mouth"),
    path("insight/word-of-mouth/members", word_of_mouth.members, name="insight-word-of-mouth-members"),
    path("insight/goods/marks", goods_marks.marks, name="insight-goods-marks"),
    path("insight/goods/member/<int:pk>/card", goods.card, name="insight-goods-card"),
]
