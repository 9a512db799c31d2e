// data/import/faceswap_alignment.cpp - where faceswap cuts a face out of its frame.
#include "data/import/faceswap_alignment.h"

#include "data/mean_landmarks.h"

#include <Eigen/Dense>

#include <cmath>

namespace bifrons::data {

namespace {

constexpr double kBorder = 0.625, kFocal = 4, kMoved = 0.009873;

struct HeadPoint {
    std::size_t landmark;
    double x, y, z;
};
constexpr std::array<HeadPoint, 26> kHead = {
    {{6, 4.056931, -11.432347, 1.636229},  {7, 1.833492, -12.542305, 4.061275},   {8, 0, -12.901019, 4.070434},
     {9, -1.833492, -12.542305, 4.061275}, {10, -4.056931, -11.432347, 1.636229}, {17, 6.825897, 1.275284, 4.402142},
     {21, 1.330353, 1.636816, 6.903745},   {22, -1.330353, 1.636816, 6.903745},   {26, -6.825897, 1.275284, 4.402142},
     {31, 1.930245, -5.060977, 5.914376},  {32, 0.746313, -5.136947, 6.263227},   {33, 0, -5.485328, 6.76343},
     {34, -0.746313, -5.136947, 6.263227}, {35, -1.930245, -5.060977, 5.914376},  {36, 5.311432, 0, 3.987654},
     {39, 1.78993, -0.091703, 4.413414},   {42, -1.78993, -0.091703, 4.413414},   {45, -5.311432, 0, 3.987654},
     {48, 2.774015, -7.566103, 5.048531},  {50, 0.509714, -7.056507, 6.566167},   {51, 0, -7.131772, 6.704956},
     {52, -0.509714, -7.056507, 6.566167}, {54, -2.774015, -7.566103, 5.048531},  {56, -0.589441, -8.443925, 6.109526},
     {57, 0, -8.601736, 6.097667},         {58, 0.589441, -8.443925, 6.109526}}};
const Eigen::Vector3d kSkull(0, 0, -2.3);

/// How the head stands before the camera.
struct HeadPose {
    Eigen::Matrix3d turn;
    Eigen::Vector3d shift;

    Eigen::Vector3d in_camera(const Eigen::Vector3d& p) const { return turn * p + shift; }
};

Eigen::Vector2d shown(const Eigen::Vector3d& p)
{
    return {kFocal * p.x() / p.z() + 0.5, kFocal * p.y() / p.z() + 0.5};
}

double error_of(const HeadPose& pose, const Landmarks& points)
{
    double sum = 0;
    for (const HeadPoint& h : kHead)
        sum += (shown(pose.in_camera({h.x, h.y, h.z})) - Eigen::Vector2d(points[h.landmark].x, points[h.landmark].y))
                   .squaredNorm();
    return sum;
}

/// The pose after a small turn and shift.
HeadPose moved(const HeadPose& pose, const Eigen::Matrix<double, 6, 1>& by)
{
    const Eigen::Vector3d turn = by.head<3>();
    const double angle = turn.norm();
    const Eigen::Matrix3d further =
        angle > 0 ? Eigen::AngleAxisd(angle, turn / angle).toRotationMatrix() : Eigen::Matrix3d::Identity();
    return {further * pose.turn, pose.shift + by.tail<3>()};
}

/// Levenberg's and Marquardt's method.
HeadPose nearest_pose(HeadPose pose, const Landmarks& points)
{
    double error = error_of(pose, points), damping = 1e-3;
    for (int step = 0; step < 200 && damping < 1e12; ++step) {
        Eigen::Matrix<double, 6, 6> normal = Eigen::Matrix<double, 6, 6>::Zero();
        Eigen::Matrix<double, 6, 1> slope = Eigen::Matrix<double, 6, 1>::Zero();
        for (const HeadPoint& h : kHead) {
            const Eigen::Vector3d turned = pose.turn * Eigen::Vector3d(h.x, h.y, h.z), p = turned + pose.shift;
            Eigen::Matrix<double, 2, 3> by_place;
            by_place << kFocal / p.z(), 0, -kFocal * p.x() / (p.z() * p.z()), //
                0, kFocal / p.z(), -kFocal * p.y() / (p.z() * p.z());
            Eigen::Matrix<double, 3, 6> by_step;
            by_step << 0, turned.z(), -turned.y(), 1, 0, 0, //
                -turned.z(), 0, turned.x(), 0, 1, 0,        //
                turned.y(), -turned.x(), 0, 0, 0, 1;
            const Eigen::Matrix<double, 2, 6> j = by_place * by_step;
            const Eigen::Vector2d rest = shown(p) - Eigen::Vector2d(points[h.landmark].x, points[h.landmark].y);
            normal += j.transpose() * j;
            slope += j.transpose() * rest;
        }
        Eigen::Matrix<double, 6, 6> damped = normal;
        damped.diagonal() *= 1 + damping;
        const Eigen::Matrix<double, 6, 1> by = damped.ldlt().solve(-slope);
        const HeadPose next = moved(pose, by);
        const double next_error = error_of(next, points);
        if (!(next_error < error)) {
            damping *= 10;
            continue;
        }
        const bool settled = error - next_error < 1e-14 * error;
        pose = next;
        error = next_error;
        damping /= 10;
        if (settled) break;
    }
    return pose;
}

/// The direct linear transform: the 3x4 matrix that maps the head to the points with the least algebraic error, and of
/// it the nearest turn. (There are two minima, of a head before and one behind the camera. OpenCV's solvePnP, which
/// faceswap uses, begins here, too, and so finds the same one.)
HeadPose first_pose(const Landmarks& points)
{
    Eigen::Matrix<double, 12, 12> squares = Eigen::Matrix<double, 12, 12>::Zero();
    for (const HeadPoint& h : kHead) {
        const Eigen::Vector4d head(h.x, h.y, h.z, 1);
        const double x = (points[h.landmark].x - 0.5) / kFocal, y = (points[h.landmark].y - 0.5) / kFocal;
        Eigen::Matrix<double, 2, 12> rows;
        rows << head.transpose(), 0, 0, 0, 0, -x * head.transpose(), //
            0, 0, 0, 0, head.transpose(), -y * head.transpose();
        squares += rows.transpose() * rows;
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix<double, 12, 12>> solver(squares);
    Eigen::Matrix<double, 3, 4> map;
    for (int i = 0; i < 12; ++i) map(i / 4, i % 4) = solver.eigenvectors()(i, 0);
    if (map.leftCols<3>().determinant() < 0) map = -map;
    const Eigen::JacobiSVD<Eigen::Matrix3d> parts(map.leftCols<3>(), Eigen::ComputeFullU | Eigen::ComputeFullV);
    const Eigen::Matrix3d turn = parts.matrixU() * parts.matrixV().transpose();
    return {turn, map.col(3) * (turn.norm() / map.leftCols<3>().norm())};
}

} // namespace

Affine faceswap_face_from_frame(const Landmarks& in_frame, std::int64_t side)
{
    std::array<Point, 51> mean = kMeanLandmarks;
    for (Point& p : mean) p.x += kMoved;
    const Affine square = similarity(std::span(in_frame).subspan(17), mean);
    const Landmarks points = square(in_frame);
    const Eigen::Vector2d skull = shown(nearest_pose(first_pose(points), points).in_camera(kSkull));
    const double border = std::nearbyint(kBorder / 2 * double(side)), inner = double(side) - 2 * border;
    const Affine picture{{inner, 0, inner * (0.5 - skull.x()) + border, //
                          0, inner, inner * (0.5 - skull.y()) + border}};
    return picture.after(square);
}

} // namespace bifrons::data
