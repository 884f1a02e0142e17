"""What phones of several makers answer, in the forms that were recorded from them."""

from __future__ import annotations

from typing import Final

PIXEL_8_PRO: Final = """\
[dalvik.vm.appimageformat]: [lz4]
[persist.sys.boot.reason.history]: [reboot,adb,1709823000
reboot,ota,1709000000
cold,powerkey,1708000000]
[ro.board.platform]: [zuma]
[ro.build.fingerprint]: [google/husky/husky:14/AP1A.240505.005/11677807:user/release-keys]
[ro.build.id]: [AP1A.240505.005]
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
[ro.build.version.security_patch]: [2024-05-05]
[ro.hardware]: [husky]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a]
[ro.product.device]: [husky]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 8 Pro]
[ro.serialno]: [37261FDJH0025K]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [Tensor G3]
"""

GALAXY_S9: Final = """\
[ro.board.platform]: [exynos5]
[ro.build.fingerprint]: [samsung/starltexx/starlte:9/PPR1.180610.011/G960FXXU7CSJ3:user/release-keys]
[ro.build.version.release]: [9]
[ro.build.version.sdk]: [28]
[ro.build.version.security_patch]: [2019-10-01]
[ro.chipname]: [exynos9810]
[ro.hardware]: [samsungexynos9810]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.manufacturer]: [samsung]
[ro.product.model]: [SM-G960F]
[ro.soc.model]: []
"""

EMULATOR: Final = """\
[ro.boot.qemu]: [1]
[ro.board.platform]: []
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
[ro.hardware]: [ranchu]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [sdk_gphone64_arm64]
"""

BATTERY: Final = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Dock powered: false
  Max charging current: 500000
  Max charging voltage: 5000000
  Charge counter: 3270000
  status: 2
  health: 2
  present: true
  level: 84
  scale: 100
  voltage: 4063
  temperature: 326
  technology: Li-ion
"""

BATTERY_UNPLUGGED_BY_HAND: Final = """\
Current Battery Service state:
  (UPDATES STOPPED -- use 'reset' to restart)
  AC powered: false
  USB powered: false
  Wireless powered: false
  Max charging current: 500000
  Max charging voltage: 5024000
  Charge counter: 4
  status: 5
  health: 2
  present: true
  level: 100
  scale: 100
  voltage: 4364
  temperature: 290
  technology: Li-poly
"""

BATTERY_SAMSUNG: Final = """\
Current Battery Service state:
  AC powered: true
  USB powered: false
  Wireless powered: false
  status: 4
  health: 2
  present: true
  level: 75
  scale: 100
  voltage: 4156
  temperature: 357
  technology: Li-ion
  batteryMiscEvent: 0
  mSecPlugTypeSummary: 1
  LED Charging: true
  Capacity level: -1
[EventLogBuffer]
08-11 18:34:14.721  Sending ACTION_BATTERY_CHANGED: level:72, status:2, health:2, voltage:4120, temperature:345
  level: 72
  temperature: 345
  USB powered: true
"""

THERMAL_S22: Final = """\
IsStatusOverride: false
ThermalStatusListeners:
\tcallbacks: 3
\tkilled: false
\tbroadcasts count: -1
Thermal Status: 0
Cached temperatures:
\tTemperature{mValue=39.6, mType=0, mName=AP, mStatus=0}
\tTemperature{mValue=36.3, mType=2, mName=BAT, mStatus=0}
\tTemperature{mValue=0.0, mType=2, mName=SUBBAT, mStatus=0}
\tTemperature{mValue=35.8, mType=3, mName=SKIN, mStatus=0}
HAL Ready: true
HAL connection:
\tThermalHAL 2.0 connected: yes
Current temperatures from HAL:
\tTemperature{mValue=41.2, mType=0, mName=AP, mStatus=0}
\tTemperature{mValue=36.4, mType=2, mName=BAT, mStatus=0}
\tTemperature{mValue=0.0, mType=2, mName=SUBBAT, mStatus=0}
\tTemperature{mValue=36.9, mType=3, mName=SKIN, mStatus=0}
Current cooling devices from HAL:
Temperature static thresholds from HAL:
"""

THERMAL_XIAOMI: Final = """\
IsStatusOverride: false
ThermalEventListeners:
\tcallbacks: 4
Thermal Status: 1
Cached temperatures:
\tTemperature{mValue=84.208, mType=0, mName=CPU, mStatus=0}
\tTemperature{mValue=83.769, mType=9, mName=NPU, mStatus=0}
\tTemperature{mValue=48.517, mType=3, mName=SKIN, mStatus=0}
\tTemperature{mValue=42.2, mType=2, mName=BATTERY, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=57.9, mType=0, mName=CPU, mStatus=0}
\tTemperature{mValue=34.351, mType=3, mName=SKIN, mStatus=0}
Temperature static thresholds from HAL:
\tTemperatureThreshold{mType=3, mName=SKIN, mHotThrottlingThresholds=[NaN, NaN, NaN, 50.0, 70.0, 80.0, 90.0]}
"""

THERMAL_PIXEL: Final = """\
IsStatusOverride: false
Thermal Status: 0
Cached temperatures:
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=31.2, mType=3, mName=VIRTUAL-SKIN-CHARGE, mStatus=0}
\tTemperature{mValue=33.05, mType=3, mName=VIRTUAL-SKIN, mStatus=0}
\tTemperature{mValue=45.0, mType=0, mName=BIG, mStatus=0}
\tTemperature{mValue=38.0, mType=10, mName=TPU, mStatus=0}
\tTemperature{mValue=4012.0, mType=6, mName=vbat, mStatus=0}
\tTemperature{mValue=84.0, mType=8, mName=soc, mStatus=0}
\tTemperature{mValue=29.9, mType=-1, mName=rear_cam, mStatus=0}
Current cooling devices from HAL:
\tCoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-0}
"""

THERMAL_A52: Final = """\
IsStatusOverride: false
Thermal Status: 0
Cached temperatures:
\tTemperature{mValue=36.0, mType=0, mName=AP, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=0.0, mType=0, mName=AP, mStatus=0}
\tTemperature{mValue=0.0, mType=3, mName=SKIN, mStatus=0}
Current cooling devices from HAL:
"""

NO_THERMAL_SERVICE: Final = "Can't find service: thermalservice\n"

POWER_ON: Final = """\
POWER MANAGER (dumpsys power)

Power Manager State:
  mDirty=0x0
  mWakefulness=Awake
  mWakefulnessChanging=false
  mIsPowered=true

Display Power: state=ON
"""

POWER_NEWER: Final = """\
POWER MANAGER (dumpsys power)

Power Manager State:
  mDirty=0x0
  mWakefulness=Asleep
  mWakefulnessChanging=false

Display Power: com.android.server.power.PowerManagerService$1@ec9ada9
"""
